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
def previous_deb():
    """The package of the commit before this one."""
    file = debian.DIST / "previous.deb"
    if not file.exists():
        pytest.skip("the commit before this one is not here (git fetch --unshallow)")
    return file


@pytest.fixture(scope="session")
def conffile_deb(deb, tmp_path_factory):
    """The package as it was when dpkg kept watch over the configuration, which held an example."""
    room = tmp_path_factory.mktemp("conffile")
    tree = room / "tree"
    subprocess.run(["dpkg-deb", "-R", deb, tree], check=True)
    control = tree / "DEBIAN/control"
    control.write_text(control.read_text().replace(f"Version: {debian.version()}\n", "Version: 0.1.0-1\n"))
    (tree / "DEBIAN/conffiles").write_text("/etc/hotcut/hotcut.toml\n")
    (tree / "etc/hotcut").mkdir(parents=True)
    (tree / "etc/hotcut/hotcut.toml").write_text("# an example\n")
    former = room / "former.deb"
    subprocess.run(["dpkg-deb", "-Zgzip", "-z1", "--root-owner-group", "-b", tree, former], check=True, stdout=subprocess.DEVNULL)
    return former


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
