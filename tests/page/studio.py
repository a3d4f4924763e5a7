"""A folder -> a running hotcut with two hot folders and the page, which can be killed and started again where it was. Knows no
browser."""

import http.client
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import time

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
DEMO = CHECKOUT / "src" / "command" / "demo"

# Far beyond what a busy machine needs.
PATIENCE_S = 60


def wait(look, what):
    """What `look` finds, as soon as it finds something."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {PATIENCE_S} s: {what}")


class Studio:
    """Its folders are `products` and `portraits`; what is white in a photo is foreground to its model."""

    def __init__(self, root, models=CHECKOUT / "tests" / "data" / "models", model="luma", **http):
        self.root = root
        self.models, self.model = models, model
        self.http = {"listen": "127.0.0.1:0", "model": model, "photos_per_minute": 100000, **http}
        self.daemon = None
        (root / "state").mkdir()
        for name in ("products", "portraits"):
            (root / name).mkdir()

    def start(self):
        """Starts it, and waits until it listens."""
        config = self.root / "hotcut.toml"
        config.write_text(self.config())
        log = self.root / "log"
        command = [CHECKOUT / "target/debug/hotcut", "run", "--log-format", "json", "--config", config]
        with log.open("wb") as sink:
            self.daemon = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=sink)
        self.http["listen"] = wait(lambda: self.listening(log), f"it listens: {log.read_text()}")
        return self

    def config(self):
        lines = [f'[daemon]\nstate_dir = "{self.root}/state"\nmodels_dir = "{self.models}"\nworkers = 2', "[http]"]
        lines += [f"{key} = {json.dumps(value)}" for key, value in self.http.items()]
        for name in ("products", "portraits"):
            lines += [
                f'[[folder]]\nname = "{name}"\ninput = "{self.root}/{name}"\noutput = "{self.root}/out-{name}"',
                f'model = "{self.model}"\nsettle = "200ms"',
            ]
        return "\n".join(lines) + "\n"

    def listening(self, log):
        assert self.daemon.poll() is None, log.read_text()
        for line in log.read_text().splitlines():
            fields = json.loads(line)["fields"]
            if fields.get("message") == "http: listening":
                return fields["listen"]
        return None

    @property
    def url(self):
        return f"http://{self.http['listen']}/"

    def kill(self):
        """Ends it as a power cut does."""
        self.daemon.kill()
        self.daemon.wait()

    def stop(self):
        self.daemon.terminate()
        self.daemon.wait()

    def drop(self, name, photo, folder="products"):
        """Puts a photo into a hot folder as one that is moved in: whole, and new even where one of that name lies."""
        place = self.root / folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        temporary = place.with_name(f".{place.name}.part")
        temporary.write_bytes(photo)
        os.replace(temporary, place)

    def get(self, path):
        """The bytes of an answer that is a success."""
        connection = http.client.HTTPConnection(self.http["listen"], timeout=PATIENCE_S)
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 200, (path, answer.status, body)
        return body

    def photo(self, name, state="done"):
        """The newest photo of that name, once it stands so."""

        def look():
            photos = json.loads(self.get(f"/api/photos?state={state}&count=200"))["photos"]
            return next((photo for photo in photos if photo["source"] == name), None)

        return wait(look, f"{name} is {state}")

    def multiply(self, count):
        """Has the ledger tell of so many copies of its only row; the daemon must be away."""
        with sqlite3.connect(self.root / "state" / "ledger.db") as ledger:
            columns = [row[1] for row in ledger.execute("PRAGMA table_info(versions)") if row[1] not in ("id", "source")]
            ledger.execute(
                f"""WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
                INSERT INTO versions (source, {", ".join(columns)})
                SELECT CAST(printf('shoot/%05d.jpg', n) AS BLOB), {", ".join(columns)} FROM versions, numbers""",
                [count],
            )
        ledger.close()

    def end(self):
        if self.daemon and self.daemon.poll() is None:
            self.daemon.kill()
            self.daemon.wait()
        shutil.rmtree(self.root, ignore_errors=True)
