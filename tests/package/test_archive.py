"""The archive -> a hotcut that runs from where it was unpacked."""

import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

import debian
import pytest


@pytest.fixture
def unpacked(archive):
    """A folder that anybody may enter: what pytest makes is closed to other users."""
    with tempfile.TemporaryDirectory(prefix="hotcut package ") as room:
        os.chmod(room, 0o777)
        with tarfile.open(archive) as tar:
            tar.extractall(room)
        [folder] = Path(room).iterdir()
        yield folder


def as_nobody(*command, cwd):
    if os.getuid() == 0:
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--", *command]
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "TMPDIR": str(cwd)}
    done = subprocess.run(command, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_runs_from_any_folder_without_root(unpacked):
    """Fails when library or model are looked for in the checkout or in /usr, a path with a blank breaks it, or root is needed."""
    moved = unpacked.with_name("elsewhere")
    shutil.move(unpacked, moved)
    shown = as_nobody(moved / "bin/hotcut", "demo", cwd=moved.parent)
    cutouts = [line.strip() for line in shown.splitlines() if line.endswith(".png")]
    assert len(cutouts) == 4, shown
    for cutout in cutouts:
        assert Path(cutout).read_bytes().startswith(b"\x89PNG\r\n")


def test_it_names_its_build(unpacked):
    """Fails when the program does not know of which commit it was built."""
    told = as_nobody(unpacked / "bin/hotcut", "--version", cwd=unpacked.parent)
    version, commit = subprocess.run([debian.CHECKOUT / ".package/version"], stdout=subprocess.PIPE, text=True).stdout.split()
    assert told.startswith(f"hotcut {version}\ncommit: {commit}\n")


def test_without_its_library_it_does_not_run(unpacked):
    """Fails when the test above proves nothing, since another ONNX Runtime of this machine is found."""
    shutil.rmtree(unpacked / "lib/hotcut")
    with pytest.raises(AssertionError, match="ONNX Runtime"):
        as_nobody(unpacked / "bin/hotcut", "demo", cwd=unpacked.parent)
