"""A bare Debian 12 and the package -> a service that starts, is upgraded and goes, with the photos where they were."""

import json
import re
import shutil

import debian
import pytest
from debian import CHECKOUT, apt_install
from machine import wait

HOT, OUT, STATE = "/srv/hot/products", "/srv/cutouts/products", "/var/lib/hotcut"
CONFIG = "/etc/hotcut/hotcut.toml"


def show(machine, key):
    return machine.run("systemctl", "show", "--value", "-p", key, "hotcut").strip()


def add_folder(machine):
    """As docs/install.md says: folders, the table, a restart, since a unit that runs has no right to folders made later."""
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


def version_that_runs(machine):
    """What the first line of the running service's log says."""
    match = f"_SYSTEMD_INVOCATION_ID={show(machine, 'InvocationID')}"
    log = machine.run("journalctl", "--no-pager", "-o", "cat", "-u", "hotcut", match)
    return re.search(r"^hotcut starts version=\"(.*?)\"", log, re.MULTILINE)[1]


def test_an_upgrade_keeps_configuration_and_ledger(bare, previous_deb, deb):
    """P2: fails when a newer build does not replace the one before, when an upgrade forgets what the user wrote or what was done, cuts it
    out again, or leaves the old program running."""
    apt_install(bare, previous_deb)
    add_folder(bare)
    _, cutout = cut_one(bare)
    config, before = bare.path(CONFIG).read_text(), cutout.stat()
    process = show(bare, "MainPID")
    apt_install(bare, deb)
    assert bare.run("dpkg-query", "-f", "${Version}", "-W", "hotcut") == debian.version()
    assert show(bare, "ActiveState") == "active" and show(bare, "MainPID") != process
    wait(lambda: show(bare, "StatusText") == "serving 1 hot folders", "the folder is served")
    assert version_that_runs(bare) == debian.version()
    assert bare.path(CONFIG).read_text() == config
    assert done(bare) == 1
    after = cutout.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_an_upgrade_of_a_stopped_service_does_not_enable_it(bare, previous_deb, deb):
    """Fails when an upgrade starts what its user has switched off."""
    apt_install(bare, previous_deb)
    bare.run("systemctl", "disable", "--now", "hotcut")
    apt_install(bare, deb)
    assert show(bare, "UnitFileState") == "disabled"
    assert show(bare, "ActiveState") == "inactive"


def test_an_upgrade_asks_nothing_about_the_configuration(bare, conffile_deb, deb):
    """Fails when an upgrade from a package whose configuration dpkg watched over stops at a question, half configured, or loses what
    the user wrote; and when a purge leaves the file."""
    apt_install(bare, conffile_deb)
    add_folder(bare)
    config = bare.path(CONFIG).read_text()
    apt_install(bare, deb)
    assert bare.run("dpkg-query", "-f", "${Status}", "-W", "hotcut") == "install ok installed"
    assert bare.path(CONFIG).read_text() == config
    cut_one(bare)
    bare.run("apt-get", "remove", "--yes", "hotcut")
    apt_install(bare, deb)
    assert bare.path(CONFIG).read_text() == config
    bare.run("apt-get", "purge", "--yes", "hotcut")
    assert not bare.path("/etc/hotcut").exists()


def test_the_configuration_is_made_once(installed, deb):
    """Fails when the package ships the file, for then dpkg asks about it, when it is not made, or a new installation changes it."""
    assert installed.path(CONFIG).read_text() == (CHECKOUT / "config/minimal.toml").read_text()
    assert installed.path(CONFIG).stat().st_mode & 0o7777 == 0o644
    assert not installed.run("dpkg-query", "-f", "${Conffiles}", "-W", "hotcut").strip()
    installed.path(CONFIG).write_text("# mine\n")
    installed.run("apt-get", "install", "--yes", "--reinstall", "/opt/hotcut.deb")
    assert installed.path(CONFIG).read_text() == "# mine\n"


def test_purge_takes_what_the_package_made_and_no_photo(installed):
    """P4: fails when a removal loses the configuration, or a purge leaves the ledger or takes a photo, even one in the state folder."""
    add_folder(installed)
    photo, cutout = cut_one(installed)
    for name in (f"{CONFIG}.bak", "/etc/systemd/system/hotcut.service.d/folders.conf"):
        installed.path(name).parent.mkdir(exist_ok=True)
        installed.path(name).write_text("# Made by `hotcut unit` from /etc/hotcut/hotcut.toml.\n")
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
    assert not installed.path("/etc/systemd/system/hotcut.service.d").exists()
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


def test_the_archive_can_be_laid_over_usr(bare, archive):
    """Fails when the paragraph on other systems leaves out a step, or the unit does not find the program."""
    shutil.copy(archive, bare.path("/opt/archive.tar.gz"))
    command = re.search(r"`sudo (tar [^`]* -C /usr)`", (CHECKOUT / "docs/install.md").read_text())[1]
    modes = bare.run("stat", "-c", "%a %n", "/usr/bin", "/usr/lib", "/usr/share")
    bare.run(*command.replace("ARCHIVE", "/opt/archive.tar.gz").split())
    assert bare.run("stat", "-c", "%a %n", "/usr/bin", "/usr/lib", "/usr/share") == modes
    bare.run("systemd-sysusers", "hotcut.conf")
    bare.run("systemd-tmpfiles", "--create", "hotcut.conf")
    bare.run("hotcut", "setup", HOT, "--output", OUT, "--yes")
    cut_one(bare)
