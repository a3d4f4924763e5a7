"""A machine for all tests, and for each test a hotcut on it that knows nothing of the tests before."""

import shutil

import debian
import pytest
from machine import Machine
from service import SAMPLES, Service


def machine_of(suite):
    machine = Machine(debian.root(suite, f"{suite}.machine"))
    samples = machine.path(SAMPLES)
    shutil.copytree(debian.CHECKOUT / "src/command/demo", samples)
    machine.boot()
    debian.apt_install(machine, debian.deb())
    for command in [
        ["groupadd", "studio"],
        ["useradd", "--groups", "studio", "anna"],
        ["useradd", "visitor"],
        ["usermod", "--append", "--groups", "studio", "hotcut"],
    ]:
        machine.run(*command)
    return machine


def take_away(machine):
    machine.cut_power()
    shutil.rmtree(machine.root)


@pytest.fixture(scope="session")
def debian_12():
    machine = machine_of("bookworm")
    yield machine
    take_away(machine)


@pytest.fixture(scope="session")
def debian_13():
    machine = machine_of("trixie")
    yield machine
    take_away(machine)


@pytest.fixture
def hotcut(debian_12):
    return anew(debian_12)


@pytest.fixture
def hotcut_on_newer_systemd(debian_13):
    return anew(debian_13)


@pytest.fixture
def hotcut_that_fails(hotcut):
    """With the program of a build that has the feature `chaos`."""
    program = hotcut.machine.path("/usr/bin/hotcut")
    released = program.rename(program.with_name("hotcut.released"))
    shutil.copy(debian.CHECKOUT / "target/chaos/hotcut", program)
    yield hotcut
    hotcut.run("systemctl", "stop", "hotcut")
    released.rename(program)


def anew(machine):
    if not machine.init:
        machine.boot()
    service = Service(machine)
    service.begin_anew()
    return service
