"""A bare Debian 12, the package and `hotcut setup` -> a folder in service, for people and for root who wants it undone."""

import re
import shutil

import pytest
from debian import CHECKOUT
from machine import wait

HOT, OUT = "/srv/hot/products", "/srv/hot/products-cutouts"
CONFIG = "/etc/hotcut/hotcut.toml"
DROP_INS = "/etc/systemd/system/hotcut.service.d"


def setup(machine, *arguments):
    return machine.run("hotcut", "setup", *arguments, "--yes")


def drop(machine, folder, name="cat.jpg", user="anna"):
    """As a person with the umask of most systems, into a subfolder of its own."""
    shutil.copy(CHECKOUT / "src/command/demo/cat.jpg", machine.path("/opt/cat.jpg"))
    script = 'umask 022; mkdir -p "$1" && cp /opt/cat.jpg "$1/.new" && mv "$1/.new" "$1/$2"'
    machine.run("sh", "-ec", script, "sh", f"{folder}/shoot", name, user=user)


def wait_for_cutout(machine, folder, name="cat.png", user="anna"):
    wait(machine.path(f"{folder}/shoot/{name}").exists, f"the cutout {name}")
    machine.run("cp", f"{folder}/shoot/{name}", "/tmp/taken.png", user=user)


def readme():
    """The lines of the README's first block of commands about the installation, as root types them."""
    text = (CHECKOUT / "README.md").read_text().split("\n## Install\n", 1)[1]
    return re.search(r"```sh\n(.*?)```", text, re.DOTALL)[1].replace("sudo ", "").splitlines()


def state(machine):
    """What a setup may change: the files, the folders and the groups."""
    found = {}
    for file in (CONFIG, f"{DROP_INS}/folders.conf", "/etc/tmpfiles.d/hotcut-status.conf", "/etc/group"):
        path = machine.path(file)
        found[file] = path.read_text() if path.exists() else None
    found["/srv"] = machine.run("find", "/srv", "/run/hotcut", "-type", "d", "-printf", "%p %u %g %m\\n")
    return found


def undo(shown):
    """The commands that were printed last."""
    return shown.split("to undo this", 1)[1].splitlines()[1:]


def test_the_readme_leads_to_a_cutout_in_two_commands(bare, deb):
    """Fails when a line of it does not work as it stands, or a photo that a member of the group drops afterwards does not come out for
    all members."""
    make, *lines, join = readme()
    assert make == "make deb" and len(lines) == 2 and join == "usermod -aG studio NAME"
    bare.path("/opt/target/dist").mkdir(parents=True, exist_ok=True)
    shutil.copy(deb, bare.path("/opt/target/dist"))
    for line in lines:
        shown = bare.run("sh", "-ec", f"cd /opt; {line.replace('apt install', 'apt-get install --yes')}")
    assert "ready: " in shown
    bare.run("useradd", "--groups", "studio", "anna")
    bare.run("useradd", "--groups", "studio", "bert")
    bare.run("useradd", "visitor")
    drop(bare, HOT)
    wait_for_cutout(bare, OUT, user="bert")
    assert bare.try_run("ls", HOT, user="visitor").returncode != 0
    assert "products: online" in bare.run("hotcut", "status")
    wait(lambda: "products: online" in bare.try_run("hotcut", "status", user="anna").stdout, "the status for a member of the group")
    assert bare.try_run("hotcut", "status", "--check", user="anna").returncode == 0
    refused = bare.try_run("hotcut", "status", user="visitor")
    assert refused.returncode == 70 and "members of the group studio may" in refused.stderr, refused
    assert "ok" in bare.run("hotcut", "check")


def test_it_shows_first_and_does_nothing_twice(installed):
    """Fails when something is changed without --yes, when what is done is not what was shown, when a second call does something again, or
    when the commands that undo it do not."""
    before = state(installed)
    shown = installed.run("hotcut", "setup", HOT, "--group", "studio").splitlines()
    assert state(installed) == before
    done = setup(installed, HOT, "--group", "studio")
    steps = shown[1:-1]
    assert len(steps) >= 7 and done.splitlines()[: len(steps)] == steps
    after = state(installed)
    process = installed.run("systemctl", "show", "--value", "-p", "MainPID", "hotcut")
    again = setup(installed, HOT, "--group", "studio")
    assert "nothing is left to do" in again and "undo" not in again
    assert state(installed) == after
    assert installed.run("systemctl", "show", "--value", "-p", "MainPID", "hotcut") == process
    for line in undo(done):
        installed.run("sh", "-ec", line)
    assert state(installed) == before
    assert "no folder is configured yet" in installed.run("hotcut", "status")


def test_a_second_folder_and_one_that_is_there_already(installed):
    """P4: fails when a second folder costs the first one something, when hotcut and the group cannot use a folder of another user, or
    when its owner can no more."""
    setup(installed, HOT, "--group", "studio")
    installed.run("useradd", "--groups", "studio", "anna")
    installed.run("useradd", "carla")
    first = installed.path(CONFIG).read_text()
    mine = "/mnt/carla's photos"
    installed.run("install", "-d", "-o", "carla", "-g", "carla", "-m", "0700", mine, f"{mine}/shoot")
    with installed.path(CONFIG).open("a") as config:
        config.write("source = 'move'\ndone = '/srv/hot/done'\n")
    installed.run("install", "-d", "-o", "hotcut", "-m", "2770", "/srv/hot/done")
    setup(installed, mine, "--output", "/srv/cutouts/carla", "--group", "studio")
    assert installed.path(f"{CONFIG}.bak").read_text().startswith(first)
    assert installed.path(CONFIG).read_text().startswith(installed.path(f"{CONFIG}.bak").read_text())
    drop(installed, mine, "one.jpg", user="carla")
    drop(installed, mine, "two.jpg", user="anna")
    drop(installed, HOT)
    wait_for_cutout(installed, "/srv/cutouts/carla", "one.png")
    wait_for_cutout(installed, "/srv/cutouts/carla", "two.png")
    wait_for_cutout(installed, OUT)
    assert "nothing is left to do" in setup(installed, mine, "--group", "studio")
    other = installed.try_run("hotcut", "setup", HOT, "--output", "/srv/elsewhere", "--yes")
    assert other.returncode == 1 and OUT in other.stderr, other


@pytest.mark.parametrize("fault", ["unit", "configuration", "way", "acl", "file"])
def test_a_setup_that_fails_says_what_to_do(installed, fault):
    """Fails when a fault leaves something behind that nobody is told of, or is told without a remedy."""
    folder = HOT
    if fault == "unit":
        installed.path(DROP_INS).mkdir()
        installed.path(f"{DROP_INS}/zz.conf").write_text("[Service]\nExecStart=\nExecStart=/bin/false\nRestart=no\n")
    elif fault == "configuration":
        installed.path(CONFIG).write_text("settel = 1\n")
    elif fault == "way":
        installed.run("install", "-d", "-m", "0700", "/srv/closed")
        folder = "/srv/closed/products"
    elif fault == "acl":
        installed.run("mv", "/usr/bin/setfacl", "/usr/bin/setfacl.away")
    else:
        folder = "/etc/passwd"
    before = state(installed)
    failed = installed.try_run("hotcut", "setup", folder, "--group", "studio", "--yes")
    told = failed.stdout + failed.stderr
    remedy = {
        "unit": "`systemctl restart hotcut` failed",
        "configuration": "settel",
        "way": "setfacl -m u:hotcut:x /srv/closed",
        "acl": "apt install acl",
        "file": "/etc/passwd is not a folder",
    }[fault]
    assert failed.returncode in (1, 78) and remedy in told, failed
    if fault == "unit":
        installed.run("rm", f"{DROP_INS}/zz.conf")
        for line in undo(failed.stdout):
            installed.run("sh", "-ec", line)
    assert state(installed) == before
