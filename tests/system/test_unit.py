"""Folders elsewhere, and an address to listen on -> `hotcut unit` prints the drop-in with which the service reaches them."""

import re

import pytest
from service import DROP_INS

NAMES = ["plain", "a studio", "100%/%h and %%", 'the "good" ones', "it's", "back\\slash \\x41", "ends in \\", "#1; ${HOME} $1", "Möbel"]


def take_drop_in(hotcut):
    """As the README says."""
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
