"""A configuration and `systemctl start` -> a service that is ready, waits or has failed for good, and photos of a whole studio."""

import re
import shutil
import subprocess

import pytest
from debian import CHECKOUT
from machine import wait
from service import CONFIG, HOT, OUT, SAMPLES


def test_started_means_ready(hotcut):
    """P10: fails when systemd takes the service for started before a worker can cut, or when the unit's walls keep the workers from
    giving up their own rights."""
    hotcut.start()
    assert hotcut.show("ActiveState") == "active"
    assert hotcut.show("StatusText") == "serving 1 hot folders"
    assert hotcut.show("User") == "hotcut"
    assert hotcut.show("OOMPolicy") == "continue"
    assert hotcut.workers()
    assert not hotcut.log("-p", "warning")
    assert "not held in" not in hotcut.run("hotcut", "status")


def test_cutouts_are_for_the_group_of_the_folder(hotcut):
    """Fails when anna, who drops photos that only her group may read, cannot read the cutouts, or somebody else can."""
    hotcut.start()
    hotcut.drop("a.jpg")
    hotcut.drop("shoot/b.jpg")
    hotcut.wait_for_outputs("a.png", "shoot/b.png")
    for name in ("a.png", "shoot/b.png"):
        assert hotcut.run("stat", "-c", "%U %G %a", f"{OUT}/{name}").strip() == "hotcut studio 660"
        hotcut.run("cp", f"{OUT}/{name}", "/tmp/anna.png", user="anna")
        assert hotcut.machine.try_run("cat", f"{OUT}/{name}", user="visitor").returncode != 0


@pytest.mark.skipif(not shutil.which("setfacl"), reason="not installed: setfacl (apt-get install acl)")
def test_a_photo_in_the_folder_of_another_user_is_moved(hotcut):
    """P4: fails when hotcut may not take a photo out of a subfolder that anna has made, or leave a note there, with the folder set up
    as docs/install.md says."""
    page = (CHECKOUT / "docs/install.md").read_text()
    [*command, folder] = re.search(r"sudo (setfacl .*?) *#", page)[1].split()
    assert folder == HOT
    subprocess.run([*command, hotcut.machine.path(folder)], check=True)
    config = hotcut.machine.path(CONFIG)
    config.write_text(config.read_text() + "source = 'move'\ndone = '/srv/hot/done'\n")
    hotcut.make_folders("/srv/hot/done")
    hotcut.machine.path(f"{SAMPLES}/page.jpg").write_text("<html>no photo</html>")
    hotcut.start()
    hotcut.drop("shoot/page.jpg", sample="page.jpg")
    hotcut.drop("shoot/a.jpg")
    hotcut.wait_for_outputs("shoot/a.png")
    assert hotcut.run("stat", "-c", "%U %G", f"{HOT}/shoot").split() == ["anna", "studio"]
    wait(hotcut.machine.path("/srv/hot/done/shoot/a.jpg").exists, "the photo among those that are done")
    assert not hotcut.machine.path(f"{HOT}/shoot/a.jpg").exists()
    wait(hotcut.machine.path(f"{HOT}/shoot/page.jpg.hotcut.txt").exists, "the note")


def test_a_faulty_configuration_is_not_tried_again(hotcut):
    """P9: fails when systemd starts over and over what cannot start, or the fault is not told as what a person must mend."""
    hotcut.configure(daemon="workers = 0")
    assert hotcut.machine.try_run("systemctl", "start", "hotcut").returncode != 0
    # A service that is to be started again is not "failed" but "activating" until then.
    hotcut.wait_for("ActiveState", "failed")
    assert (hotcut.show("ExecMainStatus"), hotcut.show("NRestarts")) == ("78", "0")
    assert any("workers" in entry["MESSAGE"] for entry in hotcut.log("-p", "err"))


def test_without_a_folder_it_waits(hotcut):
    """P10: fails when a fresh installation fails at every boot, or does not say what it waits for; a reload is enough then."""
    hotcut.machine.path("/etc/hotcut/hotcut.toml").write_text("")
    hotcut.start()
    hotcut.wait_for_log("no folder is configured yet", "-p", "warning")
    hotcut.configure()
    hotcut.run("systemctl", "reload", "hotcut")
    hotcut.drop("a.jpg")
    hotcut.wait_for_outputs("a.png")


def test_a_person_can_check_before_the_first_start(hotcut):
    """Fails when `hotcut check` as the service's user finds fault with what only the first start would make."""
    told = hotcut.run("hotcut", "check", user="hotcut")
    assert "ok" in told and HOT in told
