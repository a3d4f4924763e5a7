"""The package sources of this machine -> the root of a bare Debian; the package of the checkout -> hotcut on a booted one."""

import pathlib
import shutil
import subprocess

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
CACHE = CHECKOUT / ".system"
DIST = CHECKOUT / "target/dist"


def root(suite, name):
    """A fresh copy of a Debian that is fetched once."""
    bare, copy = CACHE / f"{suite}-with-acl", CACHE / name
    if not bare.exists():
        fetch(suite, bare)
    shutil.rmtree(copy, ignore_errors=True)
    subprocess.run(["cp", "-a", "--reflink=auto", bare, copy], check=True)
    return copy


def fetch(suite, bare):
    half = bare.with_name(f"{bare.name}.part")
    shutil.rmtree(half, ignore_errors=True)
    command = ["debootstrap", "--variant=minbase", "--include=systemd,systemd-sysv,acl", suite, half, mirror()]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, f"{command}:\n{done.stdout[-4000:]}"
    half.rename(bare)


def mirror():
    """Where this machine gets its own Debian from."""
    command = ["apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages", "Origin: Debian", "Component: main"]
    sites = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    sites = [site for site in sites if not site.rstrip("/").endswith("-security")]
    assert sites, "no package source of a Debian is configured here (apt-get update may be needed)"
    return sites[0]


def version():
    """That of what is built from the checkout as it is."""
    return subprocess.run([CHECKOUT / ".package/version"], check=True, stdout=subprocess.PIPE, text=True).stdout.split()[0]


def deb():
    """What `make deb` has left."""
    [file] = DIST.glob(f"hotcut_{version()}_*.deb")
    return file


def apt_install(machine, deb):
    """As a user does it."""
    shutil.copy(deb, machine.path("/opt/hotcut.deb"))
    machine.run("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "--yes", "/opt/hotcut.deb")
