"""Compares hotcut with rembg: the same photos, model and ONNX Runtime, in turns, on all cores.

rembg is used as `rembg p` uses it: a session kept loaded, bytes in, remove(), PNG bytes out.
"""

import json
import multiprocessing
import os
import shutil
import statistics
import sys
import time
from pathlib import Path

import hotcut
import photos

BENCH = hotcut.ROOT / ".bench"
os.environ["U2NET_HOME"] = str(BENCH / "u2net")
SIZES = {"1 MP": (1224, 816), "24 MP": (6000, 4000)}
COUNTS = {"1 MP": 16, "24 MP": 8}
ROUNDS = 3
BURST = 1500


def rembg_session():
    # Imported late: the parent of the memory measurement must not hold it.
    import rembg

    session = rembg.new_session("u2net")
    rembg.remove(photos.SAMPLES[0].read_bytes(), session=session)
    return rembg, session


def rembg_seconds(rembg, session, paths, output):
    output.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    for path in paths:
        cutout = rembg.remove(path.read_bytes(), session=session)
        (output / path.name).with_suffix(".png").write_bytes(cutout)
    return time.monotonic() - start


def rembg_peak(paths, output, result):
    """Runs in a process of its own; puts its peak memory (MiB) into `result`."""
    rembg, session = rembg_session()
    rembg_seconds(rembg, session, paths, output)
    result.put(hotcut.status_mib(os.getpid(), "VmHWM"))


def measure_rembg_memory(name, paths):
    context = multiprocessing.get_context("spawn")
    result = context.SimpleQueue()
    process = context.Process(target=rembg_peak, args=(paths, BENCH / "out/rembg", result))
    process.start()
    process.join()
    return {f"rembg {name}, MiB": result.get()}


def measure_speed(name, paths):
    """Seconds per photo of both, measured in turns, and the median of the rounds' ratios."""
    rembg, session = rembg_session()
    theirs, ours = [], []
    for _ in range(ROUNDS):
        theirs.append(rembg_seconds(rembg, session, paths, BENCH / "out/rembg") / len(paths))
        # Loading the model is paid once in a run, and not by a daemon: the difference leaves it out.
        # One photo for each worker, so that both runs warm all of them.
        workers = len(os.sched_getaffinity(0))
        few = hotcut.cut(paths[:workers], BENCH / "out/hotcut")
        many = hotcut.cut(paths, BENCH / "out/hotcut")
        ours.append((many - few) / (len(paths) - workers))
    return {
        f"rembg {name}, s": statistics.median(theirs),
        f"hotcut cut {name}, s": statistics.median(ours),
        f"ratio {name}": statistics.median(t / o for t, o in zip(theirs, ours)),
    }


def measure_daemon(name, paths):
    """Seconds per photo from the first cutouts to the last, and the peak memory of all its processes."""
    with hotcut.daemon(BENCH / "daemon") as daemon:
        daemon.drop(paths)
        arrived = daemon.wait_for(len(paths))
        pss = daemon.peak_pss_mib
    workers = len(os.sched_getaffinity(0))
    if len(arrived) != len(paths):
        raise RuntimeError(f"{len(paths) - len(arrived)} photos of {name} did not come out")
    seconds = (arrived[-1] - arrived[workers - 1]) / (len(arrived) - workers)
    return {f"hotcut run {name}, s": seconds, f"hotcut run {name}, daemon and workers, MiB": pss}


def measure_burst(paths):
    with hotcut.daemon(BENCH / "daemon") as daemon:
        start = time.monotonic()
        daemon.drop(paths)
        arrived = daemon.wait_for(len(paths))
        seconds = time.monotonic() - start
        return {
            "burst, photos": len(paths),
            "burst, lost": len(paths) - len(arrived),
            "burst, s": seconds,
            "burst, daemon process, MiB": daemon.peak_rss_mib(),
            "burst, daemon and workers, MiB": daemon.peak_pss_mib,
        }


def report(figures, more):
    figures.update(more)
    for name, value in more.items():
        print(f"{name:45} {value:10.2f}" if isinstance(value, float) else f"{name:45} {value:7}", flush=True)


def main():
    if not hotcut.PROGRAM.is_file():
        sys.exit(f"{hotcut.PROGRAM} is not built: run make build")
    shutil.rmtree(BENCH / "out", ignore_errors=True)
    sets = {name: photos.make(BENCH / "photos" / name.replace(" ", ""), COUNTS[name], SIZES[name]) for name in SIZES}
    figures = {}
    for name, paths in sets.items():
        report(figures, measure_speed(name, paths))
        report(figures, measure_daemon(name, paths))
        report(figures, measure_rembg_memory(name, paths))
    report(figures, measure_burst(photos.make(BENCH / "photos/small", BURST, (480, 320))))
    (BENCH / "figures.json").write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
