"""A hot folder that a program watches -> photos dropped into it in the ways that people and transfers drop them.

Each round has a pair of folders of its own. Numbers are fixed, so both programs get the same bytes.
"""

import contextlib
import os
import socket
import time

import numpy as np

import oracle
import photos

# No change in the output folder for so long means that the program has done what it will do.
QUIET_S = 12
# With everything there, a second cutout of a photo would follow soon.
GRACE_S = 3
WAIT_LIMIT_S = 90
PROBE_LIMIT_S = 30
IDLE_S = 20
KILLS = 3
SMALL, LARGE = (560, 400), (3400, 2400)


class Round:
    """One program on one empty pair of folders, and what was dropped there."""

    def __init__(self, rival, shelf):
        self.rival, self.shelf = rival, shelf
        self.photos, self.faults = [], []
        self.idle_share = None
        shelf.mkdir(parents=True, exist_ok=True)

    def make(self, scenario, name, around=SMALL, **more):
        """A photo with a size that no other of the round has; it is not dropped yet."""
        index = len(self.photos)
        size = (around[0] + 8 * index, around[1] + 4 * index)
        kind = name.rpartition(".")[2]
        path = self.shelf / f"{index}.{kind}"
        picture = photos.picture(index, size, np.random.default_rng(index))
        picture.save(path, **{"quality": 92} if kind == "jpg" else {})
        photo = oracle.Photo(scenario, name, size, path, **more)
        self.photos.append(photo)
        return photo

    def drop(self, photo):
        """Copies the file in, quickly, under its name."""
        target = self.rival.input / photo.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(photo.original.read_bytes())

    def start(self):
        self.rival.start()
        self.rival.wait_until_ready()

    def wait(self):
        """Waits until all that is wanted has come out, or the program is gone or has gone quiet."""
        wanted = {photo.size for photo in self.photos if photo.is_wanted}
        deadline = time.monotonic() + WAIT_LIMIT_S
        last_s, seen = time.monotonic(), None
        while time.monotonic() < deadline and self.rival.is_alive():
            files = [(path, path.stat().st_mtime_ns) for path in oracle.cutouts(self.rival.output)]
            if files != seen:
                last_s, seen = time.monotonic(), files
                is_all_there = wanted <= oracle.sizes(self.rival.output)
            if time.monotonic() - last_s > (GRACE_S if is_all_there else QUIET_S):
                return
            time.sleep(0.2)

    def probe(self, scenario, name):
        """Drops one more photo and sees whether it is served."""
        time.sleep(1)
        photo = self.make(scenario, name, is_probe=True)
        self.drop(photo)
        deadline = time.monotonic() + PROBE_LIMIT_S
        while photo.size not in oracle.sizes(self.rival.output):
            if not self.rival.is_alive():
                self.faults.append(("stuck", scenario, "the program ended"))
                return
            if time.monotonic() > deadline:
                self.faults.append(("stuck", scenario, f"{name} not served within {PROBE_LIMIT_S} s"))
                return
            time.sleep(0.2)
        self.wait()

    def measure_idle(self):
        before = self.rival.cpu_seconds()
        time.sleep(IDLE_S)
        self.idle_share = (self.rival.cpu_seconds() - before) / IDLE_S


def write_slowly(path, data, pieces=6, pause_s=0.3, long_pause_s=1.5):
    with open(path, "wb") as file:
        for index in range(pieces):
            start, end = len(data) * index // pieces, len(data) * (index + 1) // pieces
            file.write(data[start:end])
            file.flush()
            time.sleep(long_pause_s if index == pieces // 2 - 1 else pause_s)


def arrivals(run):
    """Photos that arrive in the usual ways, one of them corrected later; then idle."""
    for name in ("p/1.jpg", "q/1.jpg"):
        run.drop(run.make("same stem", name))
    run.start()
    slow = run.make("slow writer", "slow.jpg")
    write_slowly(run.rival.input / slow.name, slow.original.read_bytes())
    part = run.make("renamed", "part.jpg")
    unfinished = run.rival.input / "part.jpg.part"
    write_slowly(unfinished, part.original.read_bytes(), pause_s=0.1, long_pause_s=0.1)
    unfinished.rename(run.rival.input / part.name)
    tree = [run.make("folder tree", f"shoot/{name}") for name in ("front.jpg", "side/left.jpg", "side/raw/top.png")]
    for photo in tree:
        (run.shelf / photo.name).parent.mkdir(parents=True, exist_ok=True)
        (run.shelf / photo.name).write_bytes(photo.original.read_bytes())
    (run.shelf / "shoot").rename(run.rival.input / "shoot")
    for name in ("x.jpg", "x.png"):
        run.drop(run.make("same stem", name))
    first = run.make("corrected", "fixed.jpg")
    run.drop(first)
    run.wait()
    first.is_wanted = False
    run.drop(run.make("corrected", "fixed.jpg"))
    run.wait()
    if not run.rival.deletes and run.rival.is_alive():
        run.measure_idle()


def damaged(run):
    """A JPEG that ends after 60 % of its bytes, for good; then a photo."""
    run.start()
    photo = run.make("cut short", "short.jpg", is_wanted=False, is_damaged=True)
    data = photo.original.read_bytes()
    (run.rival.input / photo.name).write_bytes(data[: len(data) * 6 // 10])
    run.probe("cut short", "after-short.jpg")


def no_files(run):
    """A pipe and a socket with the names of photos; then a photo."""
    run.start()
    os.mkfifo(run.rival.input / "pipe.jpg")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(run.rival.input / "socket.jpg"))
        run.probe("pipe, socket", "after-pipe.jpg")


def stop_file(run):
    """A text file with a name that ends rembg, by its design; then a photo."""
    run.start()
    (run.rival.input / "stop.txt").write_text("We stop at five today.\n")
    run.probe("stop.txt", "after-stop.jpg")


def killed(run):
    """Large photos; kill -9 in the middle of writing an output, and a start after it."""
    for index in range(KILLS + 1):
        run.drop(run.make("kill -9", f"large-{index}.jpg", LARGE))
    run.rival.start()
    for _ in range(KILLS):
        wait_for_write(run.rival.output)
        run.rival.end()
        run.faults += [("corrupt", *found) for found in oracle.spoiled(run.rival.output, run.photos)]
        run.rival.start()
    run.rival.wait_until_ready()
    run.wait()


def wait_for_write(output):
    """Returns as soon as a new file in the folder, temporary or not, has its first bytes: more are to come."""
    before = set(os.listdir(output))
    deadline = time.monotonic() + WAIT_LIMIT_S
    while time.monotonic() < deadline:
        with os.scandir(output) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):
                    if entry.name not in before and entry.stat().st_size:
                        return


ROUNDS = (arrivals, damaged, no_files, stop_file, killed)
