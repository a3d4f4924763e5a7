"""Folders elsewhere, and an address to listen on -> `hotcut unit` prints the drop-in with which the service reaches them."""

import re

import pytest
from service import DROP_INS, HOT

NAMES = ["plain", "a studio", "100%/%h and %%", 'the "good" ones', "it's", "back\\slash \\x41", "ends in \\", "#1; ${HOME} $1", "Möbel"]


def take_drop_in(hotcut):
    """As docs/install.md says."""
    hotcut.run("sh", "-c", f"mkdir -p {DROP_INS} && hotcut unit >{DROP_INS}/folders.conf && systemctl daemon-reload")


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_elsewhere_is_reached(hotcut, name):
    """Fails when systemd reads another folder out of the drop-in than the configuration names, so that the service may not write
    there or does not wait for the mount."""
    place = f"/mnt/{name}"
    folder = ("elsewhere", f"{place}/in", f"{place}/out")
    hotcut.make_folders(*folder[1:])
    hotcut.configure(folder)
    take_drop_in(hotcut)
    hotcut.start()
    hotcut.drop("a.jpg", folder=folder[1])
    hotcut.wait_for_outputs("a.png", folder=folder[2])
    # Systemd shows it as a shell would read it.
    assert f"{place}/in" in re.sub(r"\\(.)", r"\1", hotcut.show("RequiresMountsFor"))


def test_without_its_drop_in_a_folder_elsewhere_is_only_read(hotcut):
    """Fails when the unit lets the service write where nobody has said so: then the other tests prove nothing."""
    hotcut.make_folders("/mnt/closed/in", "/mnt/closed/out")
    hotcut.configure(("closed", "/mnt/closed/in", "/mnt/closed/out"))
    hotcut.start()
    hotcut.drop("a.jpg", folder="/mnt/closed/in")
    hotcut.wait_for_log("Read-only file system")
    assert hotcut.outputs("/mnt/closed/out") == []


def mend(hotcut, told):
    """Runs the command that is named in what was told."""
    command = re.search(r"to allow it: sudo (sh -c '.*')$", told, re.MULTILINE)[1]
    hotcut.run("sh", "-ec", command)


def test_what_the_unit_forbids_is_told_with_its_remedy(hotcut):
    """P10: fails when `check` by root, who may write everywhere, calls sound what the service may not write to, `status` is silent about
    it, or the command that they name does not mend it."""
    hotcut.make_folders("/mnt/a closed/in", "/mnt/a closed/out")
    hotcut.configure(("closed", "/mnt/a closed/in", "/mnt/a closed/out"), tables='[http]\nlisten = "127.0.0.1:8190"')
    hotcut.start()
    check = hotcut.machine.try_run("hotcut", "check")
    assert check.returncode == 78, check
    for words in ("write to /mnt/a closed/in", "write to /mnt/a closed/out", "use the network"):
        assert words in check.stderr
        assert words in hotcut.run("hotcut", "status")
    assert HOT not in check.stderr
    mend(hotcut, check.stderr)
    assert "ok" in hotcut.run("hotcut", "check")
    assert "does not let" not in hotcut.run("hotcut", "status")
    hotcut.drop("a.jpg", folder="/mnt/a closed/in")
    hotcut.wait_for_outputs("a.png", folder="/mnt/a closed/out")


def test_a_reload_names_a_folder_that_the_unit_closes(hotcut):
    """P9, P10: fails when a reload takes a folder that the service may not write to, as if its disk were away, or does not tell what to
    do."""
    hotcut.start()
    hotcut.make_folders("/mnt/closed/in", "/mnt/closed/out")
    hotcut.configure(("closed", "/mnt/closed/in", "/mnt/closed/out"))
    assert hotcut.machine.try_run("systemctl", "reload", "hotcut").returncode != 0
    mend(hotcut, hotcut.wait_for_log("to allow it", "-p", "err")["MESSAGE"])
    hotcut.drop("a.jpg", folder="/mnt/closed/in")
    hotcut.wait_for_outputs("a.png", folder="/mnt/closed/out")


def test_a_folder_in_a_home_is_reached(hotcut):
    """Fails when the service sees no home although a folder lies in one."""
    hotcut.make_folders("/home/studio/in", "/home/studio/out")
    hotcut.configure(("home", "/home/studio/in", "/home/studio/out"))
    take_drop_in(hotcut)
    hotcut.start()
    hotcut.drop("a.jpg", folder="/home/studio/in")
    hotcut.wait_for_outputs("a.png", folder="/home/studio/out")


def test_the_address_can_be_called(hotcut):
    """Fails when nobody outside of the service can call it with the drop-in, or anybody can without."""
    call = "exec 3<>/dev/tcp/127.0.0.1/8190 && printf 'GET /healthz HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3 && cat <&3"
    hotcut.configure(tables='[http]\nlisten = "127.0.0.1:8190"')
    hotcut.start()
    assert hotcut.machine.try_run("bash", "-c", call).returncode != 0
    take_drop_in(hotcut)
    hotcut.run("systemctl", "restart", "hotcut")
    assert " 200 OK" in hotcut.run("bash", "-c", call)
