"""A machine and a configuration -> hotcut as its service, used from outside as the people of a studio do: by systemctl, the journal and
files in folders."""

import json
import shutil

from machine import wait

HOT = "/srv/hot/products"
OUT = "/srv/cutouts/products"
CONFIG = "/etc/hotcut/hotcut.toml"
DROP_INS = "/etc/systemd/system/hotcut.service.d"
SAMPLES = "/opt/photos"


class Service:
    """hotcut with one hot folder of the group `studio`, to which `anna` and hotcut belong and `visitor` does not."""

    def __init__(self, machine):
        self.machine = machine
        self.run = machine.run

    def begin_anew(self):
        """As freshly installed, whatever the last test has left."""
        self.run("systemctl", "kill", "--signal=SIGKILL", "hotcut")
        self.run("systemctl", "stop", "hotcut")
        self.machine.try_run("systemctl", "reset-failed", "hotcut")
        self.machine.try_run("umount", "-l", "/mnt/disk")
        for place in ("/srv", "/opt/disk", "/mnt", "/home/studio", "/var/lib/hotcut", DROP_INS):
            shutil.rmtree(self.machine.path(place), ignore_errors=True)
        self.run("systemd-tmpfiles", "--create", "hotcut.conf")
        self.run("systemctl", "daemon-reload")
        self.make_folders(HOT, OUT)
        self.configure()

    def make_folders(self, *folders):
        self.run("install", "-d", "-o", "hotcut", "-g", "studio", "-m", "2770", *folders)

    def configure(self, *folders, daemon="workers = 1", tables=""):
        """Writes the configuration; `folders` are name, input and output of those beside the first."""
        text = f"[daemon]\n{daemon}\n{tables}\n"
        for name, hot, out in [("products", HOT, OUT), *folders]:
            text += f"[[folder]]\nname = {json.dumps(name)}\ninput = {json.dumps(hot)}\noutput = {json.dumps(out)}\nsettle = '200ms'\n"
        self.machine.path(CONFIG).write_text(text)

    def drop_in(self, name, text):
        self.machine.path(DROP_INS).mkdir(exist_ok=True)
        self.machine.path(f"{DROP_INS}/{name}").write_text(text)
        self.run("systemctl", "daemon-reload")

    def start(self):
        self.run("systemctl", "start", "hotcut")

    def show(self, key):
        return self.run("systemctl", "show", "--value", "-p", key, "hotcut").strip()

    def wait_for(self, key, value):
        wait(lambda: self.show(key) == value, f"{key}={value}")

    def status(self):
        return json.loads(self.run("hotcut", "status", "--json"))

    def wait_for_work(self):
        """Waits until a photo is with a worker."""
        wait(lambda: any(folder["running"] for folder in self.status()["folders"]), "a photo in work")

    def drop(self, name, sample="cat.jpg", folder=HOT):
        """Anna copies a photo into the folder, and gives it its name when it is whole."""
        script = 'umask 027; mkdir -p "${2%/*}"; cp "$1" "${2%/*}/.new" && mv "${2%/*}/.new" "$2"'
        self.run("sh", "-c", script, "sh", f"{SAMPLES}/{sample}", f"{folder}/{name}", user="anna")

    def outputs(self, folder=OUT):
        """Every file of an output folder, temporary ones too."""
        root = self.machine.path(folder)
        return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())

    def cutouts(self, folder=OUT):
        return [name for name in self.outputs(folder) if name.endswith(".png")]

    def wait_for_outputs(self, *names, folder=OUT):
        """Waits for these and no other, each a whole PNG."""
        wait(lambda: set(names) <= set(self.outputs(folder)), f"{names} among the cutouts")
        assert self.outputs(folder) == sorted(names)
        for name in names:
            content = self.machine.path(f"{folder}/{name}").read_bytes()
            assert content.startswith(b"\x89PNG\r\n") and content.endswith(b"IEND\xaeB`\x82"), name

    def log(self, *options):
        """What the daemon has told the journal since it was started last, as entries."""
        match = f"_SYSTEMD_INVOCATION_ID={self.show('InvocationID')}"
        lines = self.run("journalctl", "--no-pager", "-o", "json", "-u", "hotcut", *options, match).splitlines()
        return [json.loads(line) for line in lines]

    def wait_for_log(self, words, *options):
        return wait(lambda: next((entry for entry in self.log(*options) if words in entry["MESSAGE"]), None), f"{words!r} in the log")

    def daemon(self):
        """The number of the main process, as seen from outside."""
        [pid] = self.machine.processes("/usr/bin/hotcut", "run")
        return pid

    def workers(self):
        return self.machine.processes("/usr/bin/hotcut", "worker") or self.machine.processes("/proc/self/exe", "worker")
