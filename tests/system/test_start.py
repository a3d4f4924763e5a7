"""A configuration and `systemctl start` -> a service that is ready, waits or has failed for good, and photos of a whole studio."""

from service import HOT, OUT


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
