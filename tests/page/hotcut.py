"""A temporary folder and some settings -> a running hotcut with hot folders, that can be killed and begun again at the same
address. Knows no browser."""

import json
import pathlib
import socket
import sqlite3
import subprocess
import time
import urllib.request

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
PHOTOS = CHECKOUT / "src" / "command" / "demo"
PROGRAM = CHECKOUT / "target" / "debug" / "hotcut"
TEST_MODELS = CHECKOUT / "tests" / "data" / "models"

# Far beyond what a busy machine needs.
PATIENCE_S = 60


class Hotcut:
    """One daemon at one address; `folders` are the names of its hot folders."""

    def __init__(self, place, folders=("products",), models=TEST_MODELS, model="luma", daemon="", http=""):
        self.place = place
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.token = None
        self.daemon = None
        (place / "state").mkdir()
        tables = ""
        if "photos_per_minute" not in http:
            http += "\nphotos_per_minute = 1000000"
        for name in folders:
            self.hot(name).mkdir(parents=True)
            tables += (
                f'[[folder]]\nname = "{name}"\ninput = "{self.hot(name)}"\noutput = "{place}/out/{name}"\n'
                f'model = "{model}"\nsettle = "200ms"\nedges = "off"\n'
            )
        self.config = place / "hotcut.toml"
        self.config.write_text(
            f'[daemon]\nstate_dir = "{place}/state"\nmodels_dir = "{models}"\nworkers = 2\n{daemon}\n'
            f'[http]\nlisten = "127.0.0.1:{self.port}"\nmodel = "{model}"\nedges = "off"\n{http}\n{tables}'
        )

    def hot(self, folder="products"):
        return self.place / "in" / folder

    def out(self, folder="products"):
        return self.place / "out" / folder

    def start(self):
        with (self.place / "log").open("ab") as log:
            self.daemon = subprocess.Popen([PROGRAM, "run", "--config", self.config], stderr=log)
        self.wait(lambda: self.answers("/healthz"), "an answer")
        return self

    def stop(self, kill=False):
        if self.daemon:
            (self.daemon.kill if kill else self.daemon.terminate)()
            self.daemon.wait(PATIENCE_S)
            self.daemon = None

    def drop(self, name, content=None, folder="products"):
        """Puts a photo into a hot folder, whole at once: one of the samples if nothing is given."""
        hidden = self.hot(folder) / f".{name}.part"
        hidden.write_bytes(sample(name) if content is None else content)
        hidden.rename(self.hot(folder) / name)

    def get(self, path):
        headers = {"authorization": f"Bearer {self.token}"} if self.token else {}
        request = urllib.request.Request(self.url + path, headers=headers)
        return urllib.request.urlopen(request, timeout=PATIENCE_S).read()

    def multiply(self, count):
        """Makes the ledger's only photo so many more, with other names, while nobody has it open."""
        with sqlite3.connect(self.place / "state/ledger.db") as ledger:
            columns = [row[1] for row in ledger.execute("PRAGMA table_info(versions)") if row[1] not in ("id", "source")]
            ledger.execute(
                f"INSERT INTO versions (source, {', '.join(columns)}) WITH RECURSIVE numbers(n) AS (VALUES (1) UNION ALL SELECT n + 1"
                f" FROM numbers WHERE n < {count}) SELECT CAST(printf('%05d.jpg', n) AS BLOB), {', '.join(columns)} FROM versions, numbers"
            )
            ledger.execute(
                "INSERT INTO outputs SELECT versions.id, number, path, spec FROM versions, outputs"
                " WHERE versions.id > (SELECT max(version) FROM outputs)"
            )
        ledger.close()

    def photos(self, state):
        return json.loads(self.get(f"/api/photos?state={state}"))["photos"]

    def wait_for(self, state, count):
        """Waits until so many photos stand so."""
        self.wait(lambda: len(self.photos(state)) == count, f"{count} {state}")

    def answers(self, path):
        try:
            return self.get(path)
        except OSError:
            return None

    def wait(self, look, what):
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if self.daemon and self.daemon.poll() is not None:
                break
            if look():
                return
            time.sleep(0.05)
        raise AssertionError(f"did not come: {what}\n" + (self.place / "log").read_text()[-4000:])


def sample(name):
    return (PHOTOS / name).read_bytes()


def free_port():
    """A port that nobody has now; hotcut gets it by number, so that it can come back there."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
