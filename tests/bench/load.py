"""One folder that is full -> how long a photo of another folder takes, what a listing costs, and the daemon's memory.

The model is the tests' cheapest one, so that the daemon and not the network is measured. Needs no package but Python's own.
"""

import os
import shutil
import statistics
import subprocess
import sys
import time

import hotcut

WORK = hotcut.ROOT / ".bench/load"
PHOTO = hotcut.ROOT / "src/worker/probe.jpg"
SETTLE_S = 2.0
BACKLOG = 20_000
VISITORS = 30
# With nothing else to do they may come faster: they do not wait for one another.
EVERY_S, EVERY_ALONE_S = 2.0, 0.5
NAMES = (10_000, 50_000, 100_000)
LISTINGS = 5
# Processor time that the daemon may use while it is idle, in this time, and still count as idle.
IDLE_S, IDLE_CPU_S = 1.5, 0.03
# A listing may cost so many times as much for each file in the fullest folder as in the smallest.
RATIO_MAX = 1.5
# A visitor may take so much longer beside the full folder than alone, at the 95th percentile.
LATER_MAX_S = 5.0
# The daemon's own memory, with any number of names.
MEMORY_MAX_MIB = 64


def configure(folder, names):
    """Makes `folder` anew with hot folders of these names, each with `in` and `out`, and hour-long rescans."""
    shutil.rmtree(folder, ignore_errors=True)
    text = f'[daemon]\nstate_dir = "{folder}/state"\nmodels_dir = "{hotcut.ROOT}/tests/data/models"\nrescan = "3600s"\n'
    for name in names:
        for part in ("in", "out"):
            (folder / name / part).mkdir(parents=True)
        text += (
            f'[[folder]]\nname = "{name}"\ninput = "{folder}/{name}/in"\noutput = "{folder}/{name}/out"\n'
            f'model = "luma"\nsettle = "{SETTLE_S:g}s"\n'
        )
    (folder / "hotcut.toml").write_text(text)


def visit(folder, every_s, prepare=lambda: None):
    """Drops a photo every so many seconds; returns the seconds from each drop to its cutout, less the settle time.

    `prepare` is called before each drop, and a cutout may come while it runs.
    """
    data = PHOTO.read_bytes()
    start_s = time.time()
    waiting, took = {}, []
    for index in range(VISITORS):
        due_s = start_s + index * every_s
        while time.time() < due_s:
            collect(folder, waiting, took)
        prepare()
        name = f"visitor-{index}"
        (folder / f"in/.{name}.part").write_bytes(data)
        (folder / f"in/.{name}.part").rename(folder / f"in/{name}.jpg")
        waiting[name] = time.time()
    while waiting:
        collect(folder, waiting, took)
        if min(waiting.values(), default=time.time()) < time.time() - hotcut.PATIENCE_S:
            sys.exit(f"{', '.join(waiting)} did not come out: see {WORK}")
    return took


def collect(folder, waiting, took):
    time.sleep(0.01)
    for name, dropped_s in list(waiting.items()):
        out = folder / f"out/{name}.png"
        if out.exists():
            # When it got its name, not when it is seen.
            took.append(out.stat().st_ctime - dropped_s - SETTLE_S)
            del waiting[name]


class Backlog:
    """A folder in which `BACKLOG` photos wait, however fast they are done."""

    def __init__(self, folder):
        self.folder, self.dropped = folder, 0

    def fill(self):
        done = self.done()
        for index in range(self.dropped, done + BACKLOG):
            (self.folder / f"in/{index:06}.jpg").write_bytes(PHOTO.read_bytes())
        self.dropped = done + BACKLOG

    def done(self):
        return sum(not entry.name.startswith(".") for entry in os.scandir(self.folder / "out"))


def measure_fairness():
    """Returns the visitors' times without and with a backlog beside them, photos a second, how many photos were in the full
    folder in the end, the cost of listing them when they are done, and the peak memory in MiB.
    """
    folder = WORK / "fairness"
    configure(folder, ("full", "visited"))
    with hotcut.serving(folder) as daemon:
        alone = visit(folder / "visited", EVERY_ALONE_S)
        for old in (folder / "visited").rglob("visitor-*"):
            old.unlink()
        backlog = Backlog(folder / "full")
        backlog.fill()
        wait_until(backlog.done)
        done, start_s = backlog.done(), time.monotonic()
        beside = visit(folder / "visited", EVERY_S, backlog.fill)
        rate = (backlog.done() - done) / (time.monotonic() - start_s)
        wait_until(lambda: backlog.done() == backlog.dropped, hotcut.PATIENCE_S + BACKLOG / rate)
        cost_s = listing_seconds(folder, "full", daemon.pid)
        return alone, beside, rate, backlog.dropped, cost_s, daemon.peak_rss_mib()


def measure_listing(names):
    """Returns processor seconds of the cheapest of some listings of a folder with so many names, and the peak memory in MiB.

    The files are empty, so every one is seen and looked up in the ledger but nothing is to be done with it.
    """
    folder = WORK / f"names-{names}"
    configure(folder, ("named",))
    for index in range(names):
        (folder / f"named/in/{index:06}.jpg").touch()
    with hotcut.serving(folder) as daemon:
        return listing_seconds(folder, "named", daemon.pid), daemon.peak_rss_mib()


def listing_seconds(folder, name, pid):
    """Processor seconds of the cheapest of some listings of every hot folder, one of which is `name`."""
    # Taking a photo up again is a change to the ledger from outside, upon which every folder is listed.
    bad = folder / name / "in/bad.jpg"
    bad.write_text("This is no picture.\n" * 100)
    wait_until((bad.parent / f"{bad.name}.hotcut.txt").exists)
    wait_until_idle(pid)
    # It fails as long as the photo is not refused again.
    retry = [hotcut.PROGRAM, "retry", "--config", folder / "hotcut.toml", bad]
    costs = []
    for _ in range(LISTINGS):
        before = own_cpu_seconds(pid)
        wait_until(lambda: subprocess.run(retry, check=False, capture_output=True).returncode == 0)
        time.sleep(IDLE_S)
        wait_until_idle(pid)
        costs.append(own_cpu_seconds(pid) - before)
    return min(costs)


def own_cpu_seconds(pid):
    """Processor time of the daemon's own threads, without its workers."""
    # clock_getcpuclockid(3), which Python lacks: of a whole process, in nanoseconds.
    return time.clock_gettime(~pid << 3 | 2)


def wait_until_idle(pid):
    while True:
        before = own_cpu_seconds(pid)
        time.sleep(IDLE_S)
        if own_cpu_seconds(pid) - before < IDLE_CPU_S:
            return


def wait_until(met, patience_s=hotcut.PATIENCE_S):
    deadline = time.monotonic() + patience_s
    while not met():
        if time.monotonic() > deadline:
            sys.exit(f"nothing comes: see {WORK}")
        time.sleep(0.05)


def percentile_95(values):
    # Never beyond what was measured.
    return statistics.quantiles(values, n=20, method="inclusive")[-1]


def main():
    if not hotcut.PROGRAM.is_file():
        sys.exit(f"{hotcut.PROGRAM} is not built: run make build")
    shutil.rmtree(WORK, ignore_errors=True)
    alone, beside, rate, dropped, cost_s, memory = measure_fairness()
    print("| from drop to cutout, less `settle` | median | 95th percentile |\n|---|---|---|")
    print(f"| nothing else to do | {statistics.median(alone):.2f} s | {percentile_95(alone):.2f} s |")
    what = f"beside a folder in which {BACKLOG:,} photos wait, done at {rate:.0f} a second"
    print(f"| {what} | {statistics.median(beside):.2f} s | {percentile_95(beside):.2f} s |")
    print(f"\nPeak memory of the daemon's process: {memory:.0f} MiB.\n", flush=True)
    print("| names in one folder | processor time of a listing | for each name | peak memory of the daemon |\n|---|---|---|---|")
    print(f"| {dropped:,}, all cut out | {cost_s:.2f} s | {cost_s / dropped * 1e6:.1f} µs | {memory:.0f} MiB |", flush=True)
    each, peaks_mib = [], [memory]
    for names in NAMES:
        cost_s, memory = measure_listing(names)
        each.append(cost_s / names)
        peaks_mib.append(memory)
        print(f"| {names:,}, all empty | {cost_s:.2f} s | {each[-1] * 1e6:.1f} µs | {memory:.0f} MiB |", flush=True)
    ratio = each[-1] / each[0]
    print(f"\nFor each name, the fullest folder costs {ratio:.2f} times as much as the smallest.")
    faults = {
        "a listing grows faster than the number of names": ratio > RATIO_MAX,
        f"a visitor takes {LATER_MAX_S:g} s longer beside a full folder": percentile_95(beside) > percentile_95(alone) + LATER_MAX_S,
        f"the daemon takes more than {MEMORY_MAX_MIB} MiB": max(peaks_mib) > MEMORY_MAX_MIB,
    }
    if any(faults.values()):
        sys.exit("; ".join(fault for fault, is_there in faults.items() if is_there))


if __name__ == "__main__":
    main()
