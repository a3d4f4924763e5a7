"""A running hotcut and its own /openapi.json -> hundreds of requests, right and wrong ones, by schemathesis; every answer must be
one that the description promises, and none a failure of the server. Knows no path of the API."""

import json
import os
import pathlib
import subprocess
import sys
import time
import urllib.request

import pytest

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
MODELS = CHECKOUT / "tests" / "data" / "models"
PHOTOS = CHECKOUT / "src" / "command" / "demo"

# Far beyond what a busy machine needs.
PATIENCE_S = 60


@pytest.fixture
def server(tmp_path):
    """The address of a hotcut with one photo done and one set aside."""
    hot = tmp_path / "in"
    hot.mkdir()
    (tmp_path / "state").mkdir()
    (hot / "cat.jpg").write_bytes((PHOTOS / "cat.jpg").read_bytes())
    (hot / "junk.jpg").write_bytes(b"no photo")
    config = tmp_path / "hotcut.toml"
    config.write_text(f"""
[daemon]
state_dir = "{tmp_path}/state"
models_dir = "{MODELS}"
workers = 2
[http]
listen = "127.0.0.1:0"
model = "luma"
photos_per_minute = 1000000
[[folder]]
name = "products"
input = "{hot}"
output = "{tmp_path}/out"
model = "luma"
settle = "200ms"
""")
    log = tmp_path / "log"
    command = [CHECKOUT / "target/debug/hotcut", "run", "--log-format", "json", "--config", config]
    with log.open("wb") as sink, subprocess.Popen(command, stderr=sink) as daemon:
        try:
            address = wait(lambda: listening(log), "an address")
            url = f"http://{address}"
            wait(lambda: counts(url) == (1, 1), "one photo done and one set aside")
            yield url
            assert daemon.poll() is None, "hotcut has ended:\n" + log.read_text()[-4000:]
            assert get(url + "/healthz").read() == b"ok\n"
        finally:
            daemon.terminate()


def wait(look, what):
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {PATIENCE_S} s: {what}")


def listening(log):
    for line in log.read_text().splitlines():
        fields = json.loads(line)["fields"]
        if fields.get("message") == "http: listening":
            return fields["listen"]
    return None


def counts(url):
    try:
        folder = json.load(get(url + "/api/status"))["folders"][0]
    except OSError:
        return None
    return folder["done"], folder["quarantined"]


def get(url):
    return urllib.request.urlopen(url, timeout=PATIENCE_S)


def test_every_answer_is_one_that_the_description_promises(server, tmp_path):
    """Fails when a handler answers 5xx, another status, another type or another shape than it says, or takes what it says
    that it refuses."""
    schemathesis = pathlib.Path(sys.executable).with_name("schemathesis")
    command = [
        schemathesis, "run", server + "/openapi.json", "--no-color", "--seed", "1", "--max-examples", "40",
        "--continue-on-failure",
        # It never ends.
        "--exclude-path", "/api/events",
        # A description cannot say which bytes are a photo.
        "--exclude-checks", "positive_data_acceptance",
    ]
    environment = {**os.environ, "NO_PROXY": "127.0.0.1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=600)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert " passed" in done.stdout and "Tested: 14" in done.stdout, done.stdout[-3000:]
