"""A bare Debian 12 and the package -> a service that starts, is upgraded and goes, with the photos where they were."""

import json
import re
import shutil

import pytest
from debian import CHECKOUT, apt_install
from machine import wait

HOT, OUT, STATE = "/srv/hot/products", "/srv/cutouts/products", "/var/lib/hotcut"
CONFIG = "/etc/hotcut/hotcut.toml"


def show(machine, key):
    return machine.run("systemctl", "show", "--value", "-p", key, "hotcut").strip()


def add_folder(machine):
    """As the README says: folders, the table, a restart, since a unit that runs has no right to folders made later."""
    machine.run("install", "-d", "-o", "hotcut", "-g", "hotcut", "-m", "2770", HOT, OUT)
    with machine.path(CONFIG).open("a") as file:
        file.write(f'\n[[folder]]\nname = "products"\ninput = "{HOT}"\noutput = "{OUT}"\nsettle = "200ms"\n')
    machine.run("systemctl", "restart", "hotcut")
    wait(lambda: show(machine, "StatusText") == "serving 1 hot folders", "the folder is served")


def cut_one(machine):
    photo = machine.path(f"{HOT}/cat.jpg")
    photo.write_bytes((CHECKOUT / "src/command/demo/cat.jpg").read_bytes())
    photo.chmod(0o644)
    cutout = machine.path(f"{OUT}/cat.png")
    wait(cutout.exists, "the cutout")
    wait(lambda: done(machine) == 1, "it is done")
    return photo, cutout


def done(machine):
    return sum(folder["done"] for folder in json.loads(machine.run("hotcut", "status", "--json"))["folders"])


def test_an_install_is_a_service_that_waits_for_its_first_folder(installed):
    """P10: fails when a fresh install is not started and enabled, ends for want of a folder, or does not say what it waits for."""
    assert show(installed, "ActiveState") == "active"
    assert show(installed, "UnitFileState") == "enabled"
    assert show(installed, "StatusText") == "no folder is configured yet"
    for command in (["check"], ["status", "--check"]):
        assert "no folder is configured yet" in installed.run("hotcut", *command)
    assert "no folder is configured yet" in installed.run("journalctl", "--no-pager", "-u", "hotcut")
    add_folder(installed)
    cut_one(installed)


def test_an_upgrade_keeps_configuration_and_ledger(installed, later_deb):
    """P2: fails when an upgrade forgets what the user wrote or what was done, cuts it out again, or leaves the old program running."""
    add_folder(installed)
    _, cutout = cut_one(installed)
    config, before = installed.path(CONFIG).read_text(), cutout.stat()
    started = show(installed, "InvocationID")
    apt_install(installed, later_deb)
    assert show(installed, "ActiveState") == "active" and show(installed, "InvocationID") != started
    assert installed.path(CONFIG).read_text() == config
    wait(lambda: show(installed, "StatusText") == "serving 1 hot folders", "the folder is served")
    assert done(installed) == 1
    after = cutout.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_an_upgrade_of_a_stopped_service_does_not_enable_it(installed, later_deb):
    """Fails when an upgrade starts what its user has switched off."""
    installed.run("systemctl", "disable", "--now", "hotcut")
    apt_install(installed, later_deb)
    assert show(installed, "UnitFileState") == "disabled"
    assert show(installed, "ActiveState") == "inactive"


def test_purge_takes_what_the_package_made_and_no_photo(installed):
    """P4: fails when a removal loses the configuration, or a purge leaves the ledger or takes a photo, even one in the state folder."""
    add_folder(installed)
    photo, cutout = cut_one(installed)
    thumbs = installed.path(f"{STATE}/thumbs")
    thumbs.mkdir(exist_ok=True)
    misplaced = [installed.path(f"{STATE}/misplaced.jpg"), thumbs / "1-source-of-a-fine-day.png", thumbs / "7-cutout-320-1f-2e-3d.png.jpg"]
    for path in misplaced:
        path.write_bytes(photo.read_bytes())
    for name in ["7-source-320-1f-2e-3d.png", "7-cutout-320-1f-2e-ffffffffffffffff.png.tmp"]:
        (thumbs / name).write_bytes(b"thumbnail")

    installed.run("apt-get", "remove", "--yes", "hotcut")
    assert not installed.processes("/usr/bin/hotcut", "run")
    assert installed.path(CONFIG).exists() and installed.path(f"{STATE}/ledger.db").exists()

    installed.run("apt-get", "purge", "--yes", "hotcut")
    assert not installed.path("/etc/hotcut").exists()
    assert sorted(path for path in installed.path(STATE).rglob("*") if path.is_file()) == sorted(misplaced)
    assert photo.exists() and cutout.exists()
    assert installed.try_run("systemctl", "cat", "hotcut").returncode != 0


@pytest.mark.parametrize("place", ["link", "mount"])
def test_purge_of_a_state_folder_on_another_disk(installed, place):
    """Fails when a purge is an error for who keeps the ledger elsewhere, or leaves it there."""
    installed.run("systemctl", "stop", "hotcut")
    installed.run("sh", "-ec", f"mkdir -p /srv/other && cp -a {STATE} /srv/other && rm -r {STATE}")
    if place == "link":
        installed.run("ln", "-s", "/srv/other/hotcut", STATE)
    else:
        installed.run("sh", "-ec", f"mkdir {STATE} && mount --bind /srv/other/hotcut {STATE}")
    try:
        assert installed.path("/srv/other/hotcut/ledger.db").exists()
        installed.run("apt-get", "purge", "--yes", "hotcut")
        assert not list(installed.path("/srv/other/hotcut").iterdir())
    finally:
        installed.try_run("umount", STATE)


def readme(before):
    """The lines of the first block of commands after these words, as root types them."""
    text = (CHECKOUT / "README.md").read_text().split(before, 1)[1]
    block = re.search(r"```sh\n(.*?)```", text, re.DOTALL)[1]
    return block.replace("sudo ", "").splitlines()


def test_the_readme_leads_from_nothing_to_a_service_in_six_lines(bare, deb):
    """Fails when a line of it does not work as it stands, or a photo that is dropped afterwards does not come out."""
    make, *lines = readme("\n## Install\n")
    assert make == "make deb" and len(lines) == 5
    bare.path("/opt/target/dist").mkdir(parents=True, exist_ok=True)
    shutil.copy(deb, bare.path("/opt/target/dist"))
    for line in lines:
        shown = bare.run("sh", "-ec", f"cd /opt; {line.replace('apt install', 'apt-get install --yes')}")
    assert "products: online" in shown
    assert "must be in that group" not in bare.path(CONFIG).read_text(), "the folder is hotcut's own"
    photo = bare.path(f"{HOT}/cat.jpg")
    photo.write_bytes((CHECKOUT / "src/command/demo/cat.jpg").read_bytes())
    photo.chmod(0o644)
    wait(bare.path(f"{HOT}-cutouts/cat.png").exists, "the cutout")


def test_the_archive_can_be_laid_over_usr(bare, archive):
    """Fails when the paragraph on other systems leaves out a step, or the unit does not find the program."""
    shutil.copy(archive, bare.path("/opt/archive.tar.gz"))
    command = re.search(r"`sudo (tar [^`]* -C /usr)`", (CHECKOUT / "README.md").read_text())[1]
    modes = bare.run("stat", "-c", "%a %n", "/usr/bin", "/usr/lib", "/usr/share")
    bare.run(*command.replace("ARCHIVE", "/opt/archive.tar.gz").split())
    assert bare.run("stat", "-c", "%a %n", "/usr/bin", "/usr/lib", "/usr/share") == modes
    example = "/usr/share/doc/hotcut/examples/hotcut.toml"
    bare.run("install", "-D", "-m", "644", example, CONFIG)
    bare.run("systemd-sysusers", "hotcut.conf")
    bare.run("systemd-tmpfiles", "--create", "hotcut.conf")
    bare.run("install", "-d", "-o", "hotcut", "-g", "hotcut", "-m", "2770", HOT, OUT)
    bare.run("systemctl", "daemon-reload")
    bare.run("systemctl", "start", "hotcut")
    cut_one(bare)
