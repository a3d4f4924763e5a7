"""The Dockerfile -> its last stage, its instructions run one by one on a bare Debian 12, since no engine is needed for that. The archive
stands for what the first stage builds."""

import json
import shutil
import subprocess
import tarfile

import debian
import pytest
from machine import children, wait

# Where the instructions copy from, beside the archive's content.
SOURCE = "/source/"


def last_stage():
    """[(instruction, argument)] of the last stage."""
    lines = (debian.CHECKOUT / "Dockerfile").read_text().splitlines()
    steps = [tuple(line.split(maxsplit=1)) for line in lines if line and not line.startswith("#")]
    start = max(index for index, (instruction, _) in enumerate(steps) if instruction == "FROM")
    return steps[start:]


def argument(steps, instruction):
    return next(text for name, text in steps if name == instruction)


class Image:
    """A root made by the instructions, and a container of it."""

    def __init__(self, root, archive):
        self.root, self.steps, self.container = root, last_stage(), None
        assert argument(self.steps, "FROM") == "debian:bookworm-slim"
        for instruction, text in self.steps:
            if instruction == "COPY":
                self.copy(*text.removeprefix("--from=build ").split(), archive)
            elif instruction == "RUN":
                self.nspawn("sh", "-c", text)

    def copy(self, source, target, archive):
        place = self.root / target.lstrip("/")
        if source.startswith(SOURCE):
            shutil.copytree(debian.CHECKOUT / source.removeprefix(SOURCE), place, dirs_exist_ok=True)
            return
        with tarfile.open(archive) as tar:
            tar.extractall(self.root / "opt")
        [unpacked] = (self.root / "opt").iterdir()
        shutil.copytree(unpacked, place, dirs_exist_ok=True)
        shutil.rmtree(unpacked)

    def command(self, *command):
        return ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--private-network", "--pipe", "-D", self.root, *command]

    def nspawn(self, *command):
        subprocess.run(self.command(*command), check=True, stdin=subprocess.DEVNULL)

    def run(self):
        entry = json.loads(argument(self.steps, "ENTRYPOINT")) + json.loads(argument(self.steps, "CMD"))
        user = f"--user={argument(self.steps, 'USER')}"
        self.container = subprocess.Popen(self.command(user, "--", *entry), stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait(lambda: children(self.container.pid), "the container's process")

    def health(self):
        """What the engine would make of the HEALTHCHECK; None once there is nothing to ask."""
        check = json.loads(argument(self.steps, "HEALTHCHECK").split("CMD", 1)[1])
        uid = (self.root / "etc/passwd").read_text().split("\nhotcut:x:")[1].split(":")[0]
        inside = ["nsenter", "-t", str(children(self.container.pid)[0]), "-a", "-S", uid, "-G", uid, "--", *check]
        return subprocess.run(inside, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode

    def end(self):
        for process in children(self.container.pid):
            subprocess.run(["kill", "-KILL", str(process)], check=True)
        self.container.wait(60)


@pytest.fixture
def image(debian_root, archive):
    image = Image(debian_root, archive)
    yield image
    if image.container and image.container.poll() is None:
        image.end()


def test_the_container_is_well_while_it_serves(image):
    """Fails when an instruction does not work, hotcut runs as root, or the health check says well of what is not."""
    image.run()
    wait(lambda: image.health() == 0, "a healthy container")
    [process] = children(image.container.pid)
    assert "\nUid:\t990\t" in open(f"/proc/{process}/status").read()
    state = image.root / "var/lib/hotcut/status.json"
    (image.root / "etc/hotcut/hotcut.toml").write_text('[[folder]]\nname = "gone"\ninput = "/srv/gone"\noutput = "/srv/out"\n')
    assert state.exists() and image.health() == 1
