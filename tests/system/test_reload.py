"""A changed configuration and `systemctl reload` -> a service that goes on with the new one or with the old one, and is never killed."""

from service import HOT, OUT

FACES = ("faces", "/srv/hot/faces", "/srv/cutouts/faces")


def reload_right_and_wrong(hotcut):
    """Both reloads in one running service; what systemd says of the last is given back."""
    hotcut.start()
    daemon = hotcut.daemon()
    hotcut.make_folders(*FACES[1:])
    hotcut.configure(FACES)
    hotcut.run("systemctl", "reload", "hotcut")
    hotcut.drop("a.jpg", folder=FACES[1])
    hotcut.wait_for_outputs("a.png", folder=FACES[2])
    with hotcut.machine.path("/etc/hotcut/hotcut.toml").open("a") as config:
        config.write("settel = '2s'\n")
    told = hotcut.machine.try_run("systemctl", "reload", "hotcut")
    assert "settel" in hotcut.wait_for_log("settel", "-p", "err")["MESSAGE"]
    for hot, out in ((HOT, OUT), FACES[1:]):
        before = hotcut.outputs(out)
        hotcut.drop("later.jpg", folder=hot)
        hotcut.wait_for_outputs("later.png", *before, folder=out)
    assert hotcut.daemon() == daemon
    assert hotcut.show("ActiveState") == "active"
    return told


def test_a_faulty_reload_keeps_what_is_there(hotcut):
    """P9: fails when a reload does not take a new folder, takes a faulty configuration, ends the process, or when `systemctl` says of a
    faulty one that all is well."""
    assert reload_right_and_wrong(hotcut).returncode != 0


def test_a_reload_that_systemd_waits_for(hotcut_on_newer_systemd):
    """P9: fails when systemd 253 or newer waits in vain for the end of a reload, and kills the service, or when one reload is two."""
    hotcut = hotcut_on_newer_systemd
    hotcut.drop_in("notify-reload.conf", hotcut.machine.path("/usr/share/doc/hotcut/examples/notify-reload.conf").read_text())
    assert reload_right_and_wrong(hotcut).returncode != 0
    assert hotcut.show("Type") == "notify-reload"
    # The reload has waited: the new folder is there when it returns.
    hotcut.configure()
    hotcut.run("systemctl", "reload", "hotcut")
    assert [folder["name"] for folder in hotcut.status()["folders"]] == ["products"]
    assert hotcut.show("StatusText") == "serving 1 hot folders"
    assert len([entry for entry in hotcut.log() if "the configuration is reloaded" in entry["MESSAGE"]]) == 2
