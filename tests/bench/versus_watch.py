"""The same drops into `rembg p --watch` and `hotcut run` -> a table of what each of them lost, doubled or spoiled.

Both run as real processes with U²-Net and their defaults, once keeping the originals and once deleting them.
"""

import collections
import shutil
import sys
import time

import drops
import hotcut
import oracle
import rivals

WORK = rivals.BENCH / "versus"
IDLE_MAX = 0.005
SCENARIOS = (
    ("slow writer", "a JPEG written in pieces over 3 s"),
    ("renamed", "written as part.jpg.part, then renamed to part.jpg"),
    ("folder tree", "a folder with subfolders and photos, moved in"),
    ("same stem", "p/1.jpg and q/1.jpg there at the start; x.jpg and x.png dropped"),
    ("corrected", "another picture under the same name, once the first was done"),
    ("cut short", "a JPEG that ends after 60 %, then a photo"),
    ("pipe, socket", "pipe.jpg and socket.jpg, then a photo"),
    ("stop.txt", "a text file of this name, then a photo; rembg takes it as the order to stop"),
    ("kill -9", f"{drops.KILLS} kills while an output is written, each with a new start"),
)
MEANINGS = {
    "lost": "lost: photos without any cutout",
    "duplicated": "duplicated: photos with more than one cutout",
    "corrupt": "corrupt: files cut short, or of half a photo",
    "outdated": "of an old version of a photo",
    "deleted": "originals deleted without a cutout",
    "stuck": f"stuck: ended, or the next photo not served in {drops.PROBE_LIMIT_S} s",
}


class Tally:
    """The faults and figures of one program over all its rounds."""

    def __init__(self):
        self.wanted, self.probes = 0, 0
        self.faults = []
        self.idle_share, self.peak_mib = 0.0, 0.0

    def add(self, run):
        self.wanted += sum(photo.is_wanted and not photo.is_probe for photo in run.photos)
        self.probes += sum(photo.is_probe for photo in run.photos)
        # A file that was spoiled at a kill and still is counts once.
        found = dict.fromkeys(run.faults + oracle.judge(run.rival, run.photos))
        self.faults += [(run.rival.deletes, *fault) for fault in found]
        self.idle_share = max(self.idle_share, run.idle_share or 0.0)
        self.peak_mib = max(self.peak_mib, *run.rival.peaks_mib)
        return list(found)

    def count(self, kind):
        return sum(fault[1] == kind for fault in self.faults)


def play(rival_type, round_, deletes, tally):
    """Runs one round and adds what it shows to `tally`."""
    started = time.monotonic()
    folder = WORK / f"{rival_type.name}-{'delete' if deletes else 'keep'}-{round_.__name__}"
    run = drops.Round(rival_type(folder, deletes), folder / "shelf")
    try:
        round_(run)
    finally:
        if run.rival.process:
            run.rival.end()
    found = tally.add(run)
    took = time.monotonic() - started
    policy = "originals deleted" if deletes else "originals kept"
    print(f"{rival_type.name:7} {policy:18} {round_.__name__:10} {took:5.0f} s  {len(found)} faults", flush=True)


def happened(tally, scenario):
    """One line: the faults of a scenario, under both policies."""
    parts = []
    for deletes, policy in ((False, ""), (True, "deleting: ")):
        kinds = collections.defaultdict(list)
        for fault_deletes, kind, where, name in tally.faults:
            if (fault_deletes, where) == (deletes, scenario):
                kinds[kind].append(name)
        if kinds:
            parts.append(policy + ", ".join(f"{kind} ({', '.join(names)})" for kind, names in kinds.items()))
    return "; ".join(parts) or "as it should be"


def report(tallies):
    print("\nWhat happened, with the originals kept and then with them deleted:\n")
    for scenario, text in SCENARIOS:
        print(f"{scenario}: {text}")
        for name, tally in tallies.items():
            print(f"    {name:7} {happened(tally, scenario)}")
    rembg, ours = tallies["rembg"], tallies["hotcut"]
    print(f"\nEach count is over both policies: {ours.wanted} photos, and {ours.probes} that showed whether it still serves.\n")
    print("| | rembg | hotcut |\n|---|---|---|")
    for kind, meaning in MEANINGS.items():
        print(f"| {meaning} | {rembg.count(kind)} | {ours.count(kind)} |")
    print(f"| share of a core when all is done | {rembg.idle_share:.1%} | {ours.idle_share:.1%} |")
    print(f"| peak memory, all processes | {rembg.peak_mib:,.0f} MiB | {ours.peak_mib:,.0f} MiB |", flush=True)


def main():
    if not hotcut.PROGRAM.is_file():
        sys.exit(f"{hotcut.PROGRAM} is not built: run make build")
    shutil.rmtree(WORK, ignore_errors=True)
    tallies = {"rembg": Tally(), "hotcut": Tally()}
    for deletes in (False, True):
        for round_ in drops.ROUNDS:
            for rival_type in (rivals.Rembg, rivals.Hotcut):
                play(rival_type, round_, deletes, tallies[rival_type.name])
    report(tallies)
    ours = tallies["hotcut"]
    if ours.faults or ours.idle_share >= IDLE_MAX:
        sys.exit(f"hotcut has faults, or uses {IDLE_MAX:.1%} of a core or more when idle; logs: {WORK}")


if __name__ == "__main__":
    main()
