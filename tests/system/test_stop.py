"""`systemctl stop` in the middle of a photo -> that photo is finished, and the others wait for the next start."""

import os
import signal


def test_a_stop_waits_for_the_photo_in_work(hotcut):
    """P8: fails when a stop throws away what is under way, takes up new photos, loses one, ends as a failure, or leaves workers for
    systemd to kill."""
    hotcut.start()
    invocation = hotcut.show("InvocationID")
    [worker] = hotcut.workers()
    # Its photo is not done before this says so.
    os.kill(worker, signal.SIGSTOP)
    for name in ("a", "b", "c"):
        hotcut.drop(f"{name}.jpg")
    hotcut.wait_for_work()
    hotcut.run("systemctl", "stop", "--no-block", "hotcut")
    hotcut.wait_for("ActiveState", "deactivating")
    hotcut.wait_for_log("draining")
    assert hotcut.cutouts() == []
    os.kill(worker, signal.SIGCONT)
    hotcut.wait_for("ActiveState", "inactive")
    assert (hotcut.show("Result"), hotcut.show("ExecMainStatus")) == ("success", "0")
    told = hotcut.run("journalctl", "--no-pager", f"INVOCATION_ID={invocation}")
    assert "Stopped hotcut" in told and "Killing process" not in told, told
    assert len(hotcut.outputs()) == 1 and hotcut.outputs()[0] in ("a.png", "b.png", "c.png")
    hotcut.start()
    hotcut.wait_for_outputs("a.png", "b.png", "c.png")
