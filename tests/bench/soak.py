"""A daemon under full load for some minutes -> what grew in it, what it logged, and whether a photo was lost.

A few photos always wait. Some are damaged, and some are replaced while they wait or corrected once they are done.
"""

import dataclasses
import shutil
import sys
import time

import numpy as np

import hotcut
import oracle
import photos
import samples

WORK = hotcut.ROOT / ".bench/soak"
MODEL = "student"
SIZES = [(640, 480), (1224, 816), (1600, 1200), (2400, 1600), (3000, 2000), (4000, 3000)]
# More than settle within the quiet time, so that no worker is ever without work.
BACKLOG = 24
# In so many photos one each of these, at the given place.
EVERY = 20
FATES = {5: "damaged", 9: "cut short", 13: "replaced", 17: "corrected"}
SAMPLE_S = 5
# What grows shows in three groups of looks in the second half.
MINUTES_MIN = 3
# A file that ends early is waited for; it is taken away after this time.
SHORT_S = 30
# By how much the memory that a process never gives back may grow in the second half.
GROWTH_MAX_MIB = 16
# Lines of the log that tell of no photo: what a start says, and no more the longer it lasts.
LINES_MAX = 10


@dataclasses.dataclass
class Waiting:
    """A photo in the hot folder: the size of the cutout that is to come, and how often the log must call it done."""

    fate: str
    size: tuple
    another: tuple
    since_s: float
    times: int = 1


def shelf():
    """Twelve photos of different sizes, as (path, size), half a round after each other of the same kind."""
    folder = WORK / "shelf"
    folder.mkdir(parents=True)
    made = []
    for index in range(2 * len(SIZES)):
        width, height = SIZES[index % len(SIZES)]
        size = (width + 8 * index, height)
        path = folder / f"{index}.{'png' if index % 3 == 1 else 'jpg'}"
        photos.picture(index, size, np.random.default_rng(index)).save(path)
        made.append((path, size))
    return made


class Feeder:
    """Keeps photos waiting in the hot folder, and clears away what is done."""

    def __init__(self, daemon, log, shelf):
        self.daemon, self.log, self.shelf = daemon, log, shelf
        self.count, self.done, self.refused = 0, 0, 0
        self.waiting = {}
        self.faults = []

    def drop(self, name, data):
        hidden = self.daemon.input / f".{name}.part"
        hidden.write_bytes(data)
        hidden.rename(self.daemon.input / name)

    def add(self):
        """Drops the next photo."""
        path, size = self.shelf[self.count % len(self.shelf)]
        another = self.shelf[(self.count + len(self.shelf) // 2) % len(self.shelf)]
        fate = FATES.get(self.count % EVERY, "good")
        name = f"{self.count:06}{path.suffix}"
        data = path.read_bytes()
        if fate == "damaged":
            data = b"This is no picture.\n" * 100
        elif fate == "cut short":
            data = data[: len(data) * 6 // 10]
        self.drop(name, data)
        if fate == "replaced":
            self.drop(name, another[0].read_bytes())
            size = another[1]
        self.waiting[name] = Waiting(fate, size, another, time.monotonic())
        self.count += 1

    def tend(self, refill=True):
        """Looks at every photo that waits and, with `refill`, drops as many as have gone."""
        self.log.read()
        for name, photo in list(self.waiting.items()):
            if photo.fate in ("damaged", "cut short"):
                self.look_at_bad(name, photo)
            else:
                self.look_at_good(name, photo)
        while refill and sum(photo.fate != "cut short" for photo in self.waiting.values()) < BACKLOG:
            self.add()

    def look_at_bad(self, name, photo):
        output, note = self.places(name)
        if output.exists():
            self.faults.append(f"{name} ({photo.fate}) has a cutout")
        waited_s = time.monotonic() - photo.since_s
        if note.exists() or waited_s > (SHORT_S if photo.fate == "cut short" else hotcut.PATIENCE_S):
            if photo.fate == "damaged" and not note.exists():
                self.faults.append(f"{name} ({photo.fate}) got no note")
            self.refused += 1
            self.clear(name)

    def look_at_good(self, name, photo):
        output, _ = self.places(name)
        # Only when the log says so is the photo in the daemon's records too.
        is_told = self.log.done[name] >= photo.times
        if is_told and output.exists() and oracle.size_of(output) == photo.size:
            self.done += 1
            if not output.read_bytes().endswith(b"IEND\xaeB`\x82"):
                self.faults.append(f"{output.name} is not whole")
            if photo.fate == "corrected" and photo.times == 1:
                self.correct(name, photo)
            else:
                self.clear(name)
        elif time.monotonic() - photo.since_s > hotcut.PATIENCE_S:
            self.faults.append(f"{name} ({photo.fate}) did not come out")
            self.clear(name)

    def correct(self, name, photo):
        path, size = photo.another
        self.drop(name, path.read_bytes())
        self.waiting[name] = dataclasses.replace(photo, size=size, times=2, since_s=time.monotonic())

    def places(self, name):
        return (self.daemon.output / name).with_suffix(".png"), self.daemon.input / f"{name}.hotcut.txt"

    def clear(self, name):
        del self.waiting[name]
        for path in (self.daemon.input / name, *self.places(name)):
            path.unlink(missing_ok=True)


def run(daemon, feeder, taken, minutes):
    """Feeds and samples until the time is up; returns the photos that were done, for each minute."""
    start_s = next_s = time.monotonic()
    told = 0
    while time.monotonic() - start_s < minutes * 60:
        feeder.tend()
        if time.monotonic() >= next_s:
            next_s += SAMPLE_S
            taken.take()
        if time.monotonic() - start_s > (told + 1) * 60:
            told += 1
            rss = hotcut.status_mib(daemon.pid, "VmRSS")
            print(f"{told:3} min  {feeder.done:5} done  {len(feeder.faults)} faults  daemon {rss:.0f} MiB", flush=True)
        time.sleep(0.1)
    return feeder.done / ((time.monotonic() - start_s) / 60)


def report(feeder, taken, log, minutes, rate):
    daemon, workers = taken.pid, sorted(taken.workers)
    slopes = [taken.memory_growth_per_hour(pid) for pid in workers]
    files = [taken.files_growth_per_hour(pid) for pid in (daemon, *workers)]
    low, high = taken.memory_range(daemon)
    print(f"\n| {minutes:g} minutes | |\n|---|---|")
    print(f"| photos done | {feeder.done:,}, {rate:.0f} a minute |")
    print(f"| damaged or cut short, and refused | {feeder.refused} |")
    print(f"| lost | {len(feeder.faults)} |")
    slope = taken.memory_growth_per_hour(daemon)
    print(f"| memory of the daemon, second half | {low:.0f} to {high:.0f} MiB, {slope:+.1f} MiB an hour |")
    print(f"| memory of the workers, second half | {', '.join(f'{slope:+.1f}' for slope in slopes)} MiB an hour |")
    print(f"| open files, daemon and workers | {', '.join(f'{slope:+.1f}' for slope in files)} an hour |")
    print(f"| lines of the log that tell of no photo | {len(log.other) * 60 / minutes:.0f} an hour |")
    print(f"| processes that died | {taken.deaths} |", flush=True)
    for text in feeder.faults + log.other:
        print(f"  {text}")


def main():
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 30
    if minutes < MINUTES_MIN:
        sys.exit(f"{minutes:g} minutes are too short to tell what grows: {MINUTES_MIN} at least")
    if not hotcut.PROGRAM.is_file():
        sys.exit(f"{hotcut.PROGRAM} is not built: run make build")
    shutil.rmtree(WORK, ignore_errors=True)
    pictures = shelf()
    with hotcut.daemon(WORK / "daemon", MODEL) as daemon:
        log, taken = samples.Log(WORK / "daemon/log"), samples.Samples(daemon.pid)
        feeder = Feeder(daemon, log, pictures)
        rate = run(daemon, feeder, taken, minutes)
        while feeder.waiting:
            feeder.tend(refill=False)
            time.sleep(0.1)
        log.read()
    report(feeder, taken, log, minutes, rate)
    processes = (taken.pid, *taken.workers)
    faults = {
        "photos were lost": feeder.faults,
        "memory grew": any(taken.memory_growth_per_hour(pid) * minutes / 120 > GROWTH_MAX_MIB for pid in processes),
        # Files that are open for the moment make the line waver by less than one.
        "open files grew": any(taken.files_growth_per_hour(pid) * minutes / 120 > 1 for pid in processes),
        "processes died": taken.deaths,
        "the log grew by itself": len(log.other) > LINES_MAX,
    }
    if any(faults.values()):
        sys.exit(f"{'; '.join(fault for fault, is_there in faults.items() if is_there)}: see {WORK}/daemon/log")


if __name__ == "__main__":
    main()
