"""A ledger of a million photos -> what a start, a kill, `hotcut status`, `hotcut backup` and forgetting cost.

HOTCUT names another program to measure, as that of an earlier commit. Needs no package but Python's own.
"""

import contextlib
import os
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import time
from pathlib import Path

import hotcut

WORK = hotcut.ROOT / ".bench/ledger"
PROGRAM = Path(os.environ.get("HOTCUT", hotcut.PROGRAM))
ROWS = int(os.environ.get("ROWS", "1000000"))
ASKED = 5
FORGETTING_S = 20
YEAR_MS = 365 * 24 * 3_600_000
START_MAX_S, STATUS_MAX_S, READ_MAX_MB = 5.0, 0.2, 50


def configure(remember):
    text = f'[daemon]\nstate_dir = "{WORK}/state"\nmodels_dir = "{hotcut.ROOT}/tests/data/models"\nworkers = 1\n'
    if remember:
        text += f'remember = "{remember}"\n'
    for name in ("kept", "moved"):
        text += (
            f'[[folder]]\nname = "{name}"\ninput = "{WORK}/{name}/in"\noutput = "{WORK}/{name}/out"\n'
            f'model = "luma"\n'
        )
    (WORK / "hotcut.toml").write_text(text + f'source = "move"\ndone = "{WORK}/done"\n')


def fill():
    """Writes the photos of two years into the ledger that hotcut has made: hotcut has moved nine of ten away."""
    now_ms = int(time.time() * 1000)
    with contextlib.closing(sqlite3.connect(WORK / "state/ledger.db")) as ledger, ledger:
        numbers = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?1)"
        folder = "iif(n % 10 = 0, 'kept', 'moved')"
        source = "CAST(printf('2026/shoot-%04d/IMG_%07d.jpg', n / 500, n) AS BLOB)"
        name = "CAST(printf('2026/shoot-%04d/IMG_%07d.png', n / 500, n) AS BLOB)"
        ledger.execute(
            "INSERT INTO versions (id, folder, source, len, mtime_ns, ino, state, attempts, sha256, model, begun_at_ms,"
            f" ended_at_ms, seen_at_ms, settled_at_ms, turn) {numbers} SELECT n, {folder}, {source}, 5000000 + n,"
            " 1000000000 * n, iif(n % 10 = 0, n, -n), 'done', 1, randomblob(32), 'luma', ?2 + n * ?3, ?2 + n * ?3,"
            " ?2 + n * ?3, ?2 + n * ?3, 1 FROM numbers",
            (ROWS, now_ms - 2 * YEAR_MS, 2 * YEAR_MS // (ROWS + 1)),
        )
        ledger.execute(
            f"INSERT INTO outputs {numbers} SELECT n, 0, CAST('{WORK}/' || {folder} || '/out/' || {name} AS BLOB), 'png' FROM numbers",
            (ROWS,),
        )
        ledger.execute(
            f"INSERT INTO names (output, folded, folder, source, name) {numbers}"
            f" SELECT CAST('{WORK}/' || {folder} || '/out' AS BLOB), {name}, {folder}, {source}, {name} FROM numbers",
            (ROWS,),
        )


class Run:
    """A daemon that is started, and what it took and read until it was ready."""

    def __init__(self):
        log = WORK / "log"
        log.write_bytes(b"")
        start_s = time.monotonic()
        with open(log, "ab") as out:
            self.process = subprocess.Popen([PROGRAM, "run", "--config", WORK / "hotcut.toml"], stderr=out)
        while b"ready" not in log.read_bytes():
            if self.process.poll() is not None or time.monotonic() - start_s > hotcut.PATIENCE_S:
                sys.exit(f"hotcut does not start: see {log}")
            time.sleep(0.01)
        self.took_s = time.monotonic() - start_s
        io = dict(line.split(": ") for line in Path(f"/proc/{self.process.pid}/io").read_text().splitlines())
        self.read_mb = int(io["rchar"]) / 1e6

    def stop(self):
        start_s = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(timeout=hotcut.PATIENCE_S) != 0:
            sys.exit(f"hotcut did not stop well: see {WORK}/log")
        return time.monotonic() - start_s

    def kill(self):
        self.process.kill()
        self.process.wait()


def forget_cache():
    """Lets the kernel forget what it has of the ledger, as after a boot."""
    os.sync()
    for file in (WORK / "state").glob("ledger.db*"):
        with open(file, "rb") as opened:
            os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def timed(*command):
    start_s = time.monotonic()
    subprocess.run([PROGRAM, *command], check=True, capture_output=True)
    return time.monotonic() - start_s


def status_seconds():
    return timed("status", "--config", WORK / "hotcut.toml")


def rows():
    with contextlib.closing(sqlite3.connect(f"file:{WORK}/state/ledger.db?mode=ro", uri=True)) as ledger:
        return ledger.execute("SELECT count(*) FROM versions").fetchone()[0]


def size_mb(pattern="ledger.db*"):
    return sum(file.stat().st_size for file in (WORK / "state").glob(pattern)) / 1e6


def report(what, value):
    print(f"| {what} | {value} |", flush=True)


def main():
    shutil.rmtree(WORK, ignore_errors=True)
    for folder in ("state", "kept/in", "kept/out", "moved/in", "moved/out", "done"):
        (WORK / folder).mkdir(parents=True)
    commands = subprocess.run([PROGRAM, "--help"], check=True, capture_output=True).stdout
    can_forget = b"backup" in commands
    configure("forever" if can_forget else None)
    Run().stop()
    fill()
    print(f"| a ledger of {ROWS:,} photos | |\n|---|---|")
    report("its size", f"{size_mb():,.0f} MB")
    forget_cache()
    run = Run()
    start_s, read_mb = run.took_s, run.read_mb
    report("start after a stop, nothing cached", f"{start_s:.2f} s, {read_mb:,.0f} MB read")
    forget_cache()
    first_s = status_seconds()
    status_s = statistics.median(status_seconds() for _ in range(ASKED))
    report("`hotcut status`, nothing cached, and then", f"{first_s:.2f} s, {status_s:.2f} s")
    if can_forget:
        took_s = timed("backup", "--config", WORK / "hotcut.toml", WORK / "backup.db")
        report("`hotcut backup`", f"{took_s:.1f} s")
    report("stop", f"{run.stop():.2f} s; the ledger is {len(list((WORK / 'state').glob('ledger.db*')))} files")
    run = Run()
    report("start after a stop", f"{run.took_s:.2f} s, {run.read_mb:,.0f} MB read")
    run.kill()
    run = Run()
    report("start after a kill", f"{run.took_s:.2f} s, {run.read_mb:,.0f} MB read")
    run.stop()
    if not can_forget:
        return
    configure("365d")
    run = Run()
    before, cpu_s = rows(), hotcut.cpu_seconds(run.process.pid)
    worst_s = 0.0
    for _ in range(FORGETTING_S):
        time.sleep(1)
        worst_s = max(worst_s, status_seconds())
    removed, cpu_s = before - rows(), hotcut.cpu_seconds(run.process.pid) - cpu_s
    rate = f"{removed / FORGETTING_S:,.0f} a second at {100 * cpu_s / FORGETTING_S:.0f}% of a core"
    report("forgetting what is older than a year", f"{rate}; `hotcut status` {worst_s:.2f} s at most")
    run.stop()
    faults = {
        f"a start takes {START_MAX_S:g} s": start_s > START_MAX_S,
        f"a start reads {READ_MAX_MB} MB": read_mb > READ_MAX_MB,
        f"`hotcut status` takes {STATUS_MAX_S:g} s": max(status_s, worst_s) > STATUS_MAX_S,
        "nothing is forgotten": removed == 0,
    }
    if any(faults.values()):
        sys.exit("; ".join(fault for fault, is_there in faults.items() if is_there))
    shutil.rmtree(WORK)


if __name__ == "__main__":
    main()
