"""Runs the built hotcut: once over files, or as a daemon on a hot folder whose memory is watched."""

import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "target/release/hotcut"
# Longer without a new cutout than any photo may take (its attempts included) means: it is lost.
PATIENCE_S = 240


def cut(photos, output, edges="auto"):
    """Returns the seconds that `hotcut cut` takes for the photos, start-up included."""
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    start = time.monotonic()
    command = [PROGRAM, "cut", *photos, "-o", output, "--model", "u2net", "--edges", edges]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return time.monotonic() - start


class Daemon:
    """A running daemon: `input`, `output`, `pid`, and the peaks of its memory in MiB."""

    def __init__(self, folder, process):
        self.input = folder / "in"
        self.output = folder / "out"
        self.pid = process.pid
        self.peak_pss_mib = 0.0
        self.stopped = threading.Event()

    def watch_memory(self):
        while not self.stopped.wait(0.1):
            pss = sum(pss_mib(pid) for pid in family(self.pid))
            self.peak_pss_mib = max(self.peak_pss_mib, pss)

    def peak_rss_mib(self):
        """The daemon process alone, without its workers."""
        return status_mib(self.pid, "VmHWM")

    def drop(self, photos):
        """Moves copies in under their final names, as a careful sender does."""
        for photo in photos:
            temp = self.input / f".{photo.name}.part"
            shutil.copyfile(photo, temp)
            temp.rename(self.input / photo.name)

    def wait_for(self, count):
        """Returns the cutouts' times of arrival in seconds, in order, once there are `count` or no more come."""
        last_s, seen = time.monotonic(), 0
        while True:
            arrived = sorted(p.stat().st_mtime_ns / 1e9 for p in self.output.rglob("*.png"))
            if len(arrived) > seen:
                last_s, seen = time.monotonic(), len(arrived)
            if seen >= count or time.monotonic() - last_s > PATIENCE_S:
                return arrived
            time.sleep(0.1)


def configure(folder, model="u2net", source="keep"):
    """Makes `folder` anew: empty in, out and state, and a configuration with the defaults for all else."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("in", "out", "state"):
        (folder / name).mkdir(parents=True)
    (folder / "hotcut.toml").write_text(
        f'[daemon]\nstate_dir = "{folder}/state"\nmodels_dir = "{ROOT}/models"\n'
        f'[[folder]]\nname = "bench"\ninput = "{folder}/in"\noutput = "{folder}/out"\n'
        f'model = "{model}"\nsource = "{source}"\n'
    )


def launch(folder):
    """Starts a daemon on a configured folder; its log is appended to `folder`/log."""
    with open(folder / "log", "ab") as log:
        return subprocess.Popen([PROGRAM, "run", "--config", folder / "hotcut.toml"], stderr=log)


@contextlib.contextmanager
def daemon(folder, model="u2net"):
    """Runs a daemon with the defaults, one worker for each core, in an empty `folder`."""
    configure(folder, model)
    with serving(folder) as running:
        yield running


@contextlib.contextmanager
def serving(folder):
    """Runs a daemon on a configured `folder` until it is drained."""
    process = launch(folder)
    running = Daemon(folder, process)
    watcher = threading.Thread(target=running.watch_memory)
    watcher.start()
    try:
        while b"ready" not in (folder / "log").read_bytes():
            if process.poll() is not None:
                raise RuntimeError(f"hotcut run ended with {process.returncode}: see {folder}/log")
            time.sleep(0.1)
        yield running
    finally:
        running.stopped.set()
        watcher.join()
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        code = process.wait(timeout=60)
    if code != 0:
        raise RuntimeError(f"hotcut run ended with {code} after SIGTERM: see {folder}/log")


def family(pid):
    """The process and all that descend from it."""
    parents = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            # The name in parentheses may hold anything: the fields begin after the last one.
            parents[int(name)] = int(Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[1])
    members = {pid}
    while True:
        children = {p for p, parent in parents.items() if parent in members} - members
        if not children:
            return members
        members |= children


def pss_mib(pid):
    """Proportional set size: a page shared by n processes counts 1/n in each. 0 if it has ended."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0


def status_mib(pid, field):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    raise KeyError(field)


def cpu_seconds(pid):
    """Processor time that the process has used, and the children that it has waited for. 0 if it has ended."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    return 0.0
