"""A root -> a booted machine on which commands run, and from which the power can be taken. Knows nothing of hotcut."""

import os
import pathlib
import signal
import subprocess
import time

# Far beyond what a busy machine needs.
PATIENCE_S = 120


class Machine:
    # Without registration all machines have the same control groups, and their services would be one: one is on at a time.
    on = None

    def __init__(self, root):
        self.root = root
        self.console = root.with_name(f"{root.name}.console")
        self.container = self.init = None

    def boot(self):
        if Machine.on:
            Machine.on.cut_power()
        Machine.on = self
        # A machine of its own would forbid none of these calls.
        allowed = "--system-call-filter=landlock_create_ruleset landlock_add_rule landlock_restrict_self"
        options = ["--register=no", "--keep-unit", "--private-network", "--console=read-only", allowed]
        with self.console.open("wb") as console:
            self.container = subprocess.Popen(
                ["systemd-nspawn", "--quiet", *options, "--boot", "-D", self.root],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
            )
        self.init = wait(self.find_init, "the machine's first process", self.alive)
        wait(self.is_up, "the end of the boot", self.alive)
        return self

    def find_init(self):
        """The first process of the machine, once it is systemd."""
        return next((pid for pid in children(self.container.pid) if "systemd" in command_line(pid)[0]), None)

    def is_up(self):
        return self.try_run("systemctl", "is-system-running").stdout.strip() in ("running", "degraded")

    def alive(self):
        assert self.container.poll() is None, "the machine has ended:\n" + self.console.read_text(errors="replace")[-4000:]

    def cut_power(self):
        """Ends everything on the machine between two instructions. What it had written stays, for the disk is not cut off."""
        if self.container:
            os.kill(self.init, signal.SIGKILL)
            self.container.wait(PATIENCE_S)
            self.container = self.init = Machine.on = None

    def try_run(self, *command, user="root", text=None):
        if user != "root":
            command = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--", *command]
        entered = ["nsenter", "-t", str(self.init), "-a", "--", "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"]
        return subprocess.run(
            [*entered, *command], input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=PATIENCE_S
        )

    def run(self, *command, **options):
        """What the command prints; it must succeed."""
        done = self.try_run(*command, **options)
        assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def path(self, path):
        """A file of the machine, seen from outside."""
        return self.root / str(path).lstrip("/")

    def processes(self, *beginning):
        """Those of the machine whose command line begins so, by the numbers that they have outside."""
        here = os.stat(f"/proc/{self.init}/ns/pid").st_ino
        return [pid for pid in pids() if command_line(pid)[: len(beginning)] == list(beginning) and namespace(pid) == here]


def pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def command_line(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_text(errors="replace").rstrip("\0").split("\0")
    except OSError:
        return [""]


def namespace(pid):
    try:
        return os.stat(f"/proc/{pid}/ns/pid").st_ino
    except OSError:
        return None


def children(parent):
    def parent_of(pid):
        try:
            return int(pathlib.Path(f"/proc/{pid}/stat").read_text(errors="replace").rsplit(")", 1)[1].split()[1])
        except OSError:
            return None

    return [pid for pid in pids() if parent_of(pid) == parent]


def wait(look, what, meanwhile=lambda: None):
    """What `look` gives, once it is something."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        meanwhile()
        if found := look():
            return found
        time.sleep(0.1)
    raise AssertionError(f"did not come: {what}")
