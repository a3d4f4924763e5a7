"""What happens to photos -> entries of the journal that can be searched by priority, and read by programs."""

import json


def test_each_line_has_its_priority(hotcut):
    """P10: fails when `journalctl -p err` does not find what a person must mend, or finds what nobody must."""
    hotcut.machine.path("/opt/photos/page.jpg").write_text("<html>no photo</html>")
    hotcut.start()
    hotcut.drop("a.jpg")
    hotcut.drop("page.jpg", sample="page.jpg")
    hotcut.wait_for_outputs("a.png")
    done = hotcut.wait_for_log("a.png")
    assert (done["PRIORITY"], done["SYSLOG_IDENTIFIER"], done["_SYSTEMD_UNIT"]) == ("6", "hotcut", "hotcut.service")
    assert "source" in done["MESSAGE"] and "INFO" not in done["MESSAGE"], "the journal has time and priority of its own"
    # More than one line of one event: each is an entry.
    hotcut.machine.path("/etc/hotcut/hotcut.toml").write_text("one = 1\ntwo = 2\n")
    assert hotcut.machine.try_run("systemctl", "reload", "hotcut").returncode != 0
    for word in ("`one`", "`two`"):
        assert hotcut.wait_for_log(word, "-p", "err")["PRIORITY"] == "3"
    aside = hotcut.wait_for_log("page.jpg")
    assert int(aside["PRIORITY"]) <= 4, aside
    found = hotcut.run("journalctl", "-o", "json", "FOLDER=products", "PHOTO=page.jpg")
    assert "HTML" in json.loads(found.splitlines()[-1])["REASON"]


def test_programs_read_json(hotcut):
    """Fails when an entry is no JSON of fields, with its priority, for those who ask for it."""
    hotcut.drop_in("json.conf", "[Service]\nExecStart=\nExecStart=/usr/bin/hotcut run --log-format json\n")
    hotcut.start()
    hotcut.drop("a.jpg")
    entry = hotcut.wait_for_log("a.png")
    fields = json.loads(entry["MESSAGE"])
    assert fields["level"] == "INFO" and entry["PRIORITY"] == "6"
    assert fields["fields"]["folder"] == "products" and fields["fields"]["source"].endswith("a.jpg")
    for entry in hotcut.log():
        json.loads(entry["MESSAGE"])
