"""Measures what refined edges cost `hotcut cut` on one core: milliseconds of each stage, with edges off in turns.

It takes the least time of each stage over the rounds, and prints the median over photos. Times are whole milliseconds.
"""

import json
import os
import shutil
import statistics
import subprocess

import hotcut
import photos

BENCH = hotcut.ROOT / ".bench"
SIZES = {"1 MP": (1224, 816), "24 MP": (6000, 4000)}
COUNTS = {"1 MP": 8, "24 MP": 4}
ROUNDS = 5
# With edges off there are no refine and colour.
STAGES = {"off": ("matte", "encode"), "auto": ("matte", "refine", "colour", "encode")}


def measured(paths, edges):
    """Stages of each photo in milliseconds, of one run on one core."""
    folder = BENCH / "out/edges"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    command = [hotcut.PROGRAM, "cut", *paths, "-o", folder, "--edges", edges, "--log-format", "json", "--models-dir", hotcut.ROOT / "models"]
    core = min(os.sched_getaffinity(0))
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=lambda: os.sched_setaffinity(0, {core}))
    records = [json.loads(line) for line in run.stdout]
    if run.wait() != 0:
        raise RuntimeError(f"hotcut cut --edges {edges} ended with {run.returncode}: {run.stderr.read().decode()}")
    return {record["photo"]: record["stages_ms"] for record in records}


def least(rounds, edges):
    """The median over photos of each stage's least time."""
    figures = {}
    for stage in STAGES[edges]:
        times = [min(stages[photo][stage] for stages in rounds) for photo in rounds[0]]
        figures[stage] = statistics.median(times)
    return figures


def measure(name, paths):
    off, auto = [], []
    for _ in range(ROUNDS):
        off.append(measured(paths, "off"))
        auto.append(measured(paths, "auto"))
    without, full = least(off, "off"), least(auto, "auto")
    figures = {f"edges {name}, {stage}, ms": full[stage] - without.get(stage, 0) for stage in full}
    return {**figures, f"edges {name}, in all, ms": sum(figures.values())}


def main():
    for name, size in SIZES.items():
        paths = photos.make(BENCH / "photos/edges" / name.replace(" ", ""), COUNTS[name], size)
        for label, value in measure(name, paths).items():
            print(f"{label:45} {value:10.1f}", flush=True)


if __name__ == "__main__":
    main()
