"""A hot folder on a disk that comes late, goes away and comes back -> a service that waits for it, as its drop-in says."""

from machine import wait
from test_unit import take_drop_in

FOLDER = ("disk", "/mnt/disk/in", "/mnt/disk/out")

# Mounts are not seen from outside: the directory behind the mount is.
BEHIND = "/opt/disk/out"


def lies_on_a_disk(hotcut):
    """A directory stands in for the disk; it is mounted by systemd, as what /etc/fstab names."""
    hotcut.make_folders("/opt/disk/in", "/opt/disk/out", "/mnt/disk")
    hotcut.machine.path("/etc/systemd/system/mnt-disk.mount").write_text(
        "[Mount]\nWhat=/opt/disk\nWhere=/mnt/disk\nType=none\nOptions=bind\n"
    )
    hotcut.configure(FOLDER, daemon="workers = 1\nrescan = '1s'")
    hotcut.run("systemctl", "daemon-reload")
    hotcut.run("systemctl", "start", "mnt-disk.mount")
    take_drop_in(hotcut)


def test_the_disk_is_mounted_before_the_start(hotcut):
    """Fails when the service starts without the disk: what it may write to is settled at its start."""
    lies_on_a_disk(hotcut)
    hotcut.run("systemctl", "stop", "mnt-disk.mount")
    hotcut.start()
    assert hotcut.run("systemctl", "is-active", "mnt-disk.mount").strip() == "active"
    hotcut.drop("a.jpg", folder=FOLDER[1])
    hotcut.wait_for_outputs("a.png", folder=BEHIND)


def test_a_disk_that_comes_back_is_served_again(hotcut):
    """P1, P9, P10: fails when the service keeps the disk for itself: then it does not tell that the disk is away, and never sees the one
    that is mounted there later; or when a disk that is away refuses a reload."""
    lies_on_a_disk(hotcut)
    hotcut.start()
    daemon = hotcut.daemon()
    hotcut.run("umount", "/mnt/disk")
    wait(lambda: hotcut.status()["folders"][1]["state"].startswith("offline"), "word of the missing disk")
    hotcut.run("systemctl", "reload", "hotcut")
    hotcut.make_folders("/opt/disk/other/in", "/opt/disk/other/out")
    hotcut.run("mount", "--bind", "/opt/disk/other", "/mnt/disk")
    hotcut.drop("b.jpg", folder=FOLDER[1])
    hotcut.wait_for_outputs("b.png", folder="/opt/disk/other/out")
    assert hotcut.daemon() == daemon


def test_another_drop_in_is_no_missing_disk(hotcut):
    """P10: fails when what the unit makes writable, which systemd mounts on itself, is taken for a disk: with another drop-in the folder
    would be offline for ever."""
    hotcut.start()
    hotcut.drop("a.jpg")
    hotcut.wait_for_outputs("a.png")
    hotcut.drop_in("folders.conf", "[Service]\nReadWritePaths=\nReadWritePaths=/srv\n")
    hotcut.run("systemctl", "restart", "hotcut")
    hotcut.drop("b.jpg")
    hotcut.wait_for_outputs("a.png", "b.png")
