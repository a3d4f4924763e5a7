"""Photos that come by Samba, rsync, scp or a tethered camera, as slowly as they like -> one cutout each. Needs the programs
themselves; all of them serve the loopback alone."""

import getpass
import os
import shutil
import stat
import subprocess
import threading
import time

import pytest
from hotcut import free_port, sample

# Between the pieces of a slow photo; a file counts as complete after 0.2 s of rest.
PAUSE_S = 0.6


def needs(*programs):
    found = {program: shutil.which(program) or shutil.which(f"/usr/sbin/{program}") for program in programs}
    missing = [program for program, path in found.items() if not path]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


def run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def pieces(data):
    size = len(data) // 4 + 1
    return [data[start:start + size] for start in range(0, len(data), size)]


def pour(data, sink):
    """Writes in pieces, with rests that are longer than `settle`."""
    with open(sink, "wb", buffering=0) as out:
        for piece in pieces(data):
            out.write(piece)
            time.sleep(PAUSE_S)


@pytest.fixture
def samba(studio):
    place = studio.place / "samba"
    place.mkdir()
    port = free_port()
    folders = "\n".join(f"{key} directory = {place}" for key in ["lock", "state", "cache", "pid"])
    (place / "smb.conf").write_text(f"""
[global]
server role = standalone server
map to guest = Bad User
guest account = {getpass.getuser()}
interfaces = 127.0.0.1
bind interfaces only = yes
smb ports = {port}
private dir = {place}
ncalrpc dir = {place}/ncalrpc
log file = {place}/log
load printers = no
disable spoolss = yes
{folders}
[hot]
path = {studio.hot()}
read only = no
guest ok = yes
force user = {getpass.getuser()}
""")
    command = ["/usr/sbin/smbd", "--foreground", f"--configfile={place}/smb.conf"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:

        def smb(*orders):
            run("smbclient", "//127.0.0.1/hot", "-p", port, "-N", "-s", place / "smb.conf", "-c", "; ".join(orders))

        def answers():
            done = subprocess.run(["smbclient", "//127.0.0.1/hot", "-p", str(port), "-N", "-c", "ls"], capture_output=True)
            return done.returncode == 0

        studio.wait(answers, "an answer of smbd: " + str(place / "log"))
        yield smb
        server.terminate()


@needs("smbd", "smbclient")
def test_samba_share(studio, photos, samba, assert_all_cut, tmp_path):
    """Fails when a photo that comes over a share is lost, doubled, or taken before it is whole."""
    samba(f"lcd {photos}", "prompt OFF", "recurse ON", "mput *")
    slow = tmp_path / "slow.jpg"
    os.mkfifo(slow)
    writer = threading.Thread(target=pour, args=[sample("cat.jpg"), slow])
    writer.start()
    samba(f"put {slow} slow.jpg")
    writer.join()
    (photos / "slow.jpg").write_bytes(sample("cat.jpg"))
    samba(f"put {photos}/astronaut.jpg later.jpg.part", "rename later.jpg.part later.jpg")
    (photos / "later.jpg").write_bytes(sample("astronaut.jpg"))
    assert_all_cut()


@needs("rsync")
@pytest.mark.parametrize("how", [[], ["--inplace", "--bwlimit=100"], ["--partial", "--delay-updates"]], ids=str)
def test_rsync(studio, photos, assert_all_cut, how):
    """Fails when rsync's own files are taken for photos, when a photo that is written in place is taken too early, or when folders are
    no longer those of the studio's group."""
    studio.hot().chmod(0o2770)
    run("rsync", "-rtO", *how, f"{photos}/", studio.hot())
    # Nothing has changed: nothing comes of it.
    run("rsync", "-rtO", *how, f"{photos}/", studio.hot())
    assert_all_cut()
    assert stat.S_IMODE(studio.hot().stat().st_mode) == 0o2770
    assert (studio.hot() / "shoot").stat().st_mode & stat.S_ISGID


@pytest.fixture
def ssh(studio):
    place = studio.place / "ssh"
    place.mkdir(mode=0o700)
    for key in ["host", "user"]:
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", place / key)
    port = free_port()
    (place / "sshd_config").write_text(f"""
ListenAddress 127.0.0.1:{port}
HostKey {place}/host
AuthorizedKeysFile {place}/user.pub
PidFile {place}/pid
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
Subsystem sftp internal-sftp
""")
    if os.getuid() == 0:
        os.makedirs("/run/sshd", exist_ok=True)
    with subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", place / "sshd_config"], stderr=subprocess.DEVNULL) as server:
        options = ["-i", place / "user", "-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={place}/known"]

        def answers():
            command = ["ssh", "-p", str(port), *options, "127.0.0.1", "true"]
            return subprocess.run(command, capture_output=True).returncode == 0

        studio.wait(answers, "an answer of sshd")
        yield ["-P", port, *options]
        server.terminate()


@needs("sshd", "scp", "ssh-keygen")
def test_scp(studio, photos, ssh, assert_all_cut):
    """Fails when a photo that comes by scp, which writes it in place, is taken before it is whole."""
    run("scp", "-q", "-r", "-l", "2000", *ssh, *photos.iterdir(), f"127.0.0.1:{studio.hot()}/")
    assert_all_cut()


def test_tethered_camera(studio, photos, assert_all_cut):
    """Fails when the temporary file of a tethering program is taken, or the raw picture beside a photo."""
    for number, path in enumerate(sorted(photos.rglob("*.jpg"))):
        data = path.read_bytes()
        path.unlink()
        name = f"IMG_{number:04}.jpg"
        (photos / name).write_bytes(data)
        # gphoto2 writes under such a name into the folder it runs in, and renames what is whole.
        temporary = studio.hot() / f"tmpfile{number:06}"
        pour(data, temporary)
        temporary.rename(studio.hot() / name)
        (studio.hot() / f"IMG_{number:04}.CR2").write_bytes(b"raw")
    assert_all_cut()
