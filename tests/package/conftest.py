"""What `make deb tarball` has left in target/dist -> the package, the archive, and a Debian on which the package can be installed."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "system"))

import debian  # noqa: E402
from machine import Machine  # noqa: E402


@pytest.fixture(scope="session")
def deb():
    return debian.deb()


@pytest.fixture(scope="session")
def archive():
    [file] = debian.DIST.glob(f"hotcut-{debian.version()}-*.tar.gz")
    return file


@pytest.fixture(scope="session")
def later_deb(deb, tmp_path_factory):
    """The same package under a higher version."""
    room = tmp_path_factory.mktemp("later")
    subprocess.run(["dpkg-deb", "-R", deb, room / "tree"], check=True)
    control = room / "tree/DEBIAN/control"
    control.write_text(control.read_text().replace(f"Version: {debian.version()}-1", f"Version: {debian.version()}-2"))
    later = room / "later.deb"
    subprocess.run(["dpkg-deb", "-Zgzip", "-z1", "--root-owner-group", "-b", room / "tree", later], check=True, stdout=subprocess.DEVNULL)
    return later


@pytest.fixture(scope="session")
def debian_tools():
    if os.getuid() != 0:
        pytest.skip("only root can boot a machine")
    if not (shutil.which("debootstrap") and shutil.which("systemd-nspawn")):
        pytest.skip("debootstrap or systemd-nspawn is not installed (apt-get install debootstrap systemd-container)")


@pytest.fixture
def debian_root(debian_tools):
    """The root of a bare Debian 12."""
    root = debian.root("bookworm", "bookworm.image")
    yield root
    shutil.rmtree(root)


@pytest.fixture
def bare(debian_tools):
    """A booted Debian 12 that knows nothing of hotcut."""
    machine = Machine(debian.root("bookworm", "bookworm.package"))
    yield machine.boot()
    machine.cut_power()
    shutil.rmtree(machine.root)


@pytest.fixture
def installed(bare, deb):
    """The same with the package installed."""
    debian.apt_install(bare, deb)
    return bare
