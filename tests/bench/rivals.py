"""An empty pair of folders -> rembg or hotcut watching it, as a process that can be measured, killed and started again."""

import os
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import hotcut

BENCH = hotcut.ROOT / ".bench"
# On a busy machine rembg takes many seconds to import what it needs.
START_LIMIT_S = 180


class Rival:
    """One of the two programs: `input`, `output`, and what is measured of all its processes."""

    def __init__(self, folder, deletes):
        self.folder, self.deletes = folder, deletes
        self.input, self.output = folder / "in", folder / "out"
        self.process, self.memory = None, None
        self.peaks_mib = [0.0]
        self.prepare()

    def start(self):
        """Starts the program and returns at once."""
        self.process = self.launch()
        self.memory = hotcut.Daemon(self.folder, self.process)
        threading.Thread(target=self.memory.watch_memory, daemon=True).start()

    def wait_until_ready(self):
        deadline = time.monotonic() + START_LIMIT_S
        while not self.is_ready():
            if not self.is_alive() or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} did not start: see {self.folder}/log")
            time.sleep(0.05)

    def is_alive(self):
        return self.process.poll() is None

    def end(self, how=signal.SIGKILL):
        """Ends the program as it stands; with SIGKILL its workers have to notice by themselves."""
        if self.is_alive():
            self.process.send_signal(how)
        self.memory.stopped.set()
        self.peaks_mib.append(self.memory.peak_pss_mib)
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def cpu_seconds(self):
        return sum(hotcut.cpu_seconds(pid) for pid in hotcut.family(self.process.pid))


class Rembg(Rival):
    name = "rembg"

    def prepare(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.input.mkdir(parents=True)
        self.output.mkdir()

    def launch(self):
        command = [BENCH / "venv/bin/rembg", "p", "--model", "u2net", "--watch", *["-d"] * self.deletes]
        # Unbuffered, so that what it prints before a kill is in its log.
        environment = os.environ | {"U2NET_HOME": str(BENCH / "u2net"), "PYTHONUNBUFFERED": "1"}
        with open(self.folder / "log", "ab") as log:
            return subprocess.Popen([*command, self.input, self.output], env=environment, stdout=log, stderr=log)

    def is_ready(self):
        """It says nothing when it begins to watch; the kernel knows."""
        for info in Path(f"/proc/{self.process.pid}/fdinfo").glob("*"):
            try:
                if "inotify wd:" in info.read_text():
                    return True
            except OSError:
                continue
        return False


class Hotcut(Rival):
    name = "hotcut"

    def prepare(self):
        hotcut.configure(self.folder, source="delete" if self.deletes else "keep")
        self.log_seen = 0

    def launch(self):
        log = self.folder / "log"
        self.log_seen = log.stat().st_size if log.exists() else 0
        return hotcut.launch(self.folder)

    def is_ready(self):
        return b" ready " in (self.folder / "log").read_bytes()[self.log_seen :]
