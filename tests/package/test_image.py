"""The Dockerfile -> its last stage, its instructions run one by one on a bare Debian 12, since no engine is needed for that. The archive
stands for what the first stage builds. config/compose.yaml -> a container of it with the user, rights and volumes of that file."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tarfile

import debian
import pytest
import yaml
from machine import children, wait

# Where the instructions copy from, beside the archive's content.
SOURCE = "/source/"

COMPOSE = yaml.safe_load((debian.CHECKOUT / "config/compose.yaml").read_text())
SERVICE = COMPOSE["services"]["hotcut"]

PHOTO_FOLDERS = ("srv/hot/products", "srv/cutouts/products")

# Has nspawn lay no writable /tmp over the root, as an engine lays none.
ENVIRONMENT = {**os.environ, "SYSTEMD_NSPAWN_TMPFS_TMP": "0"}


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

    def command(self, *command, options=()):
        always = ["--quiet", "--register=no", "--keep-unit", "--private-network", "--pipe"]
        return ["systemd-nspawn", *always, *options, "-D", self.root, *command]

    def nspawn(self, *command):
        subprocess.run(self.command(*command), check=True, stdin=subprocess.DEVNULL)

    def entry(self):
        return json.loads(argument(self.steps, "ENTRYPOINT")) + json.loads(argument(self.steps, "CMD"))

    def run(self):
        user = f"--user={argument(self.steps, 'USER')}"
        self.begin(self.command(user, "--", *self.entry()), subprocess.DEVNULL)

    def compose(self, outside, user, log):
        """Runs it as the compose file says, but for the user. `outside` is the root of the machine that has the volumes."""
        options = ["--read-only"] if SERVICE["read_only"] else []
        for volume in SERVICE["volumes"]:
            if isinstance(volume, str):
                name, target = volume.split(":")
                source = outside / "volumes" / name
                if not source.exists():
                    # As an engine does with a new volume: content, owner and mode are those of the image.
                    source.parent.mkdir(exist_ok=True)
                    subprocess.run(["cp", "-a", self.inside(target), source], check=True)
            else:
                assert volume["type"] == "bind"
                target = volume["target"]
                source = outside / volume["source"].lstrip("/")
            self.inside(target).mkdir(parents=True, exist_ok=True)
            is_closed = isinstance(volume, dict) and volume.get("read_only")
            options.append(f"--bind{'-ro' if is_closed else ''}={source}:{target}")
        # nspawn itself knows no user without a name.
        uid, gid = user.split(":")
        become = ["env", "-u", "HOME", "setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups"]
        if SERVICE["cap_drop"] == ["ALL"]:
            become += ["--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all"]
        if "no-new-privileges:true" in SERVICE["security_opt"]:
            become.append("--no-new-privs")
        self.begin(self.command("--", *become, "--", *self.entry(), options=options), log)

    def begin(self, command, log):
        self.container = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log, env=ENVIRONMENT)

    def process(self):
        """The number that the container's first process has outside, once that is hotcut."""

        def look():
            return next((pid for pid in children(self.container.pid) if command_name(pid) == "hotcut"), None)

        return wait(look, "the container's process")

    def inside(self, path):
        return self.root / path.lstrip("/")

    def health(self):
        """What the engine would make of the HEALTHCHECK."""
        check = json.loads(argument(self.steps, "HEALTHCHECK").split("CMD", 1)[1])
        process = self.process()
        uid, gid = (status(process)[key].split()[1] for key in ("Uid", "Gid"))
        inside = ["nsenter", "-t", str(process), "-a", "-S", uid, "-G", gid, "--", *check]
        return subprocess.run(inside, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode

    def stop(self):
        """As an engine does; returns the exit code."""
        os.kill(self.process(), signal.SIGTERM)
        return self.container.wait(int(SERVICE["stop_grace_period"].removesuffix("s")))

    def end(self):
        for process in children(self.container.pid):
            subprocess.run(["kill", "-KILL", str(process)], check=True)
        self.container.wait(60)


def status(process):
    """{name: value} of what the kernel tells of it."""
    lines = pathlib.Path(f"/proc/{process}/status").read_text().splitlines()
    return {name: value.strip() for name, value in (line.split(":", 1) for line in lines)}


def command_name(process):
    try:
        return status(process)["Name"]
    except OSError:
        return None


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
    assert status(image.process())["Uid"].split() == ["990"] * 4
    state = image.root / "var/lib/hotcut/status.json"
    (image.root / "etc/hotcut/hotcut.toml").write_text('[[folder]]\nname = "gone"\ninput = "/srv/gone"\noutput = "/srv/out"\n')
    assert state.exists() and image.health() == 1


@pytest.fixture
def outside(tmp_path):
    """The folders that the compose file binds, open to all, and a configuration for them."""
    for folder in (*PHOTO_FOLDERS, "etc/hotcut"):
        (tmp_path / folder).mkdir(parents=True)
    for folder in PHOTO_FOLDERS:
        (tmp_path / folder).chmod(0o777)
    (tmp_path / "etc/hotcut/hotcut.toml").write_text(
        '[[folder]]\nname = "products"\ninput = "/srv/hot/products"\noutput = "/srv/cutouts/products"\n'
    )
    return tmp_path


@pytest.mark.parametrize("user", [SERVICE["user"], "1234:1234"])
def test_it_serves_as_the_compose_file_says_for_any_user(image, outside, user):
    """Fails when a photo gets no cutout on a root that cannot be written, without capabilities, home or a name for the user, or when a
    stop is no clean one."""
    with (outside / "log").open("wb") as log:
        image.compose(outside, user, log)
        try:
            wait(lambda: image.health() == 0, "a healthy container")
            shutil.copy(debian.CHECKOUT / "src/command/demo/cat.jpg", outside / "srv/hot/products")
            cutout = outside / "srv/cutouts/products/cat.png"
            wait(cutout.exists, "the cutout")
            told = status(image.process())
            uid, gid = user.split(":")
            assert (told["Uid"].split(), told["Gid"].split()) == ([uid] * 4, [gid] * 4)
            assert (told["CapBnd"], told["CapEff"], told["NoNewPrivs"]) == ("0" * 16, "0" * 16, "1")
            assert cutout.stat().st_uid == int(uid)
            with pytest.raises(OSError, match="Read-only file system"):
                (pathlib.Path(f"/proc/{image.process()}/root/tmp") / "file").touch()
            assert image.stop() == 0
        except AssertionError as error:
            raise AssertionError((outside / "log").read_text()) from error


def test_state_of_another_user_is_named_with_what_to_do(image, outside):
    """Fails when a container with a new `user:` on an old volume ends without the owner, or without the option that mends it."""
    with (outside / "log").open("wb") as log:
        image.compose(outside, SERVICE["user"], log)
        wait(lambda: image.health() == 0, "a healthy container")
        assert image.stop() == 0
        image.compose(outside, "1234:1234", log)
        assert image.container.wait(60) == 70
    told = (outside / "log").read_text()
    assert "/var/lib/hotcut/lock is closed to hotcut: it belongs to user 990 (hotcut)" in told
    assert "hotcut runs as user 1234;" in told and "--user 990:990" in told and "chown -R 1234:1234 /var/lib/hotcut" in told


def test_the_compose_file_holds_what_it_promises():
    """Fails when the container could do more than it must, is reached from elsewhere, or is killed while it finishes photos."""
    assert SERVICE["read_only"] is True and SERVICE["cap_drop"] == ["ALL"] and SERVICE["security_opt"] == ["no-new-privileges:true"]
    assert all(port.startswith("127.0.0.1:") for port in SERVICE["ports"])
    drain = next(line for line in (debian.CHECKOUT / "config/hotcut.toml").read_text().splitlines() if "drain_timeout =" in line)
    assert int(SERVICE["stop_grace_period"].removesuffix("s")) > int(drain.split('"')[1].removesuffix("s"))
    context = (debian.CHECKOUT / "config" / SERVICE["build"]["context"]).resolve()
    assert context == debian.CHECKOUT and (context / "Dockerfile").exists()
    assert [name for name in COMPOSE["volumes"] if f"{name}:/var/lib/hotcut" in SERVICE["volumes"]] == ["state"]


def test_the_version_without_git_is_that_of_the_release(tmp_path):
    """Fails when an image that is built without BUILD, or with an empty one, has no version."""
    for path in (".package/version", "Cargo.toml", "Makefile"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        shutil.copy(debian.CHECKOUT / path, tmp_path / path)
    [release] = [line.split('"')[1] for line in (tmp_path / "Cargo.toml").read_text().splitlines() if line.startswith("version = ")]
    for given in ([], ["BUILD="], ["BUILD=9.9.9 abcdef"]):
        shown = subprocess.run(["make", "-n", "tarball", *given], cwd=tmp_path, check=True, stdout=subprocess.PIPE, text=True).stdout
        assert f"/hotcut-{'9.9.9' if given[-1:] == ['BUILD=9.9.9 abcdef'] else release}-" in shown
