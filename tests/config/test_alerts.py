"""config/alerts.yml -> what promtool and the metrics of a running hotcut say of it. Knows no Prometheus that runs."""

import pathlib
import re
import shutil
import subprocess
import sys

import pytest
import yaml

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(CHECKOUT / "tests" / "page"))

from hotcut import Hotcut  # noqa: E402

RULES = CHECKOUT / "config" / "alerts.yml"
CASES = CHECKOUT / "tests" / "config" / "alerts_test.yml"
ALERTS = {rule["alert"]: rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]}

# The labels that Prometheus gives to each series.
ADDED = ("job", "instance")


def promtool(*arguments):
    if not shutil.which("promtool"):
        pytest.skip("promtool is not installed (apt-get install --no-install-recommends prometheus)")
    return subprocess.run(["promtool", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)


def test_prometheus_takes_the_rules():
    """Fails when Prometheus would not start with them."""
    done = promtool("check", "rules", RULES)
    assert done.returncode == 0 and f"{len(ALERTS)} rules found" in done.stdout, done.stdout


def test_each_alert_fires_when_it_must_and_not_before():
    """Fails when an alert comes too early, too late, for the wrong folder, or beside another that tells the same."""
    done = promtool("test", "rules", CASES)
    assert done.returncode == 0, done.stdout


# A fault in each part of each rule.
FAULTS = [
    ('up{job="hotcut"}', "up"),
    ("for: 2m", "for: 5m"),
    ("hotcut_ready == 0", "hotcut_ready == 1"),
    ("hotcut_ready == 0", "hotcut_ready == 2"),
    ("for: 5m", "for: 1m"),
    ('{state=~"offline|paused"}) == 1', '{state="offline"}) == 1'),
    ('{state=~"offline|paused"}) == 1', '{state=~"offline|paused|polling"}) == 1'),
    ("max without (state) ", ""),
    ('result="quarantined"}[1h]', 'result=~"quarantined|retry"}[1h]'),
    ('result="quarantined"}[1h]) > 0', 'result="quarantined"}[1h]) > 1.5'),
    ('increase(hotcut_photos_total{result="quarantined"}[1h])', 'hotcut_photos_total{result="quarantined"}'),
    ("> 3600", "> 1200"),
    ("> 3600", "> 7200"),
    ("hotcut_queued_photos > 0", "hotcut_queued_photos > 30"),
    ("hotcut_queued_photos > 0", "hotcut_queued_photos >= 0"),
    ('"done|quarantined|ignored"', '"done|quarantined|ignored|retry"'),
    ('"done|quarantined|ignored"', '"done"'),
    ("for: 15m", "for: 8m"),
    ("hotcut_short == 1", "hotcut_short == 0"),
    ('unless on (job, instance, folder) hotcut_folder_state{state=~"offline|paused"} == 1', ""),
    ('requests_total{result="disk"}', "requests_total"),
    ('requests_total{result="disk"}[15m]) > 0', 'requests_total{result="disk"}[15m]) > 2'),
]


@pytest.fixture
def judge(tmp_path):
    """Runs the cases over other rules."""

    def run(rules):
        (tmp_path / "alerts.yml").write_text(rules)
        (tmp_path / "cases.yml").write_text(CASES.read_text().replace("../../config/alerts.yml", "alerts.yml"))
        return promtool("test", "rules", tmp_path / "cases.yml")

    return run


@pytest.mark.parametrize("right, wrong", FAULTS)
def test_a_faulty_rule_is_noticed(judge, right, wrong):
    """Fails when the cases would let a fault in a rule pass."""
    rules = RULES.read_text()
    assert right in rules
    done = judge(rules.replace(right, wrong))
    assert done.returncode == 1 and "got: " in done.stdout, done.stdout


@pytest.mark.parametrize("alert", ALERTS)
def test_each_alert_has_a_case_in_which_it_fires(judge, alert):
    """Fails when an alert is added that no case sees firing."""
    rules = yaml.safe_load(RULES.read_text())
    for group in rules["groups"]:
        group["rules"] = [rule for rule in group["rules"] if rule["alert"] != alert]
    done = judge(yaml.safe_dump(rules))
    assert done.returncode == 1 and alert in done.stdout, done.stdout


@pytest.mark.parametrize("alert", ALERTS)
def test_each_alert_says_what_to_do(alert):
    """Fails when an alert names no command of hotcut that there is, or does not say how urgent it is."""
    rule = ALERTS[alert]
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert "{{ $labels.instance }}" in rule["annotations"]["summary"]
    commands = re.findall(r"`sudo hotcut (\w+)[^`]*`", rule["annotations"]["description"])
    assert commands
    for command in commands:
        subprocess.run([CHECKOUT / "target/debug/hotcut", command, "--help"], check=True, stdout=subprocess.DEVNULL, timeout=60)


def test_rules_and_cases_name_the_series_that_there_are(tmp_path):
    """Fails when a metric or a value of a label is renamed or mistyped: such a rule is never true, and such a case proves nothing."""
    hotcut = Hotcut(tmp_path, folders=("products", "portraits")).start()
    try:
        metrics = hotcut.get("/metrics").decode()
    finally:
        hotcut.stop()
    # Which Prometheus makes itself.
    there = {"up": {}}
    for name, labels in re.findall(r"^(hotcut_\w+)(?:\{(.*)\})? ", metrics, re.MULTILINE):
        known = there.setdefault(name, {})
        for label, value in re.findall(r'(\w+)="(.*?)"', labels):
            known.setdefault(label, set()).add(value)
    rules = " ".join(rule["expr"] for rule in ALERTS.values())
    cases = " ".join(one["series"] for test in yaml.safe_load(CASES.read_text())["tests"] for one in test["input_series"])
    named = re.findall(r"\b(hotcut_\w+|up)\b(?:\{(.*?)\})?", f"{rules} {cases}")
    assert len(named) > 2 * len(ALERTS)
    for name, labels in named:
        assert name in there, name
        for label, values in re.findall(r'(\w+)=~?"(.*?)"', labels):
            assert label in ADDED or set(values.split("|")) <= there[name].get(label, set()), (name, label, values)
