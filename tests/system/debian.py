"""The package sources of this machine and the checkout -> the root of a bare Debian with hotcut in it. Starts nothing there but what a
package's own scripts would."""

import pathlib
import shutil
import subprocess

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
CACHE = CHECKOUT / ".system"


def root(suite, name):
    """A fresh copy of a Debian, with hotcut."""
    copy = bare_root(suite, name)
    install(copy)
    return copy


def bare_root(suite, name):
    """A fresh copy of a Debian that is fetched once."""
    bare, copy = CACHE / suite, CACHE / name
    if not bare.exists():
        fetch(suite, bare)
    shutil.rmtree(copy, ignore_errors=True)
    subprocess.run(["cp", "-a", "--reflink=auto", bare, copy], check=True)
    return copy


def fetch(suite, bare):
    half = bare.with_name(f"{suite}.part")
    shutil.rmtree(half, ignore_errors=True)
    command = ["debootstrap", "--variant=minbase", "--include=systemd,systemd-sysv", suite, half, mirror()]
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


def install(root):
    """Puts the files where a package would, and runs what its scripts would."""
    library = next((CHECKOUT / ".onnxruntime").glob("libonnxruntime.so.*"))
    models = [CHECKOUT / "models" / name for name in ("student.toml", "student.onnx", "golden.jpg")]
    for mode, folder, *files in [
        ("755", "usr/bin", CHECKOUT / "target/debug/hotcut"),
        ("644", "usr/lib/hotcut", library),
        ("644", "usr/share/hotcut/models", *models),
    ]:
        subprocess.run(["install", "-D", "-m", mode, "-t", root / folder, *files], check=True)
    for file, place in [
        ("hotcut.service", "usr/lib/systemd/system/hotcut.service"),
        ("hotcut.sysusers", "usr/lib/sysusers.d/hotcut.conf"),
        ("hotcut.tmpfiles", "usr/lib/tmpfiles.d/hotcut.conf"),
        ("notify-reload.conf", "usr/share/doc/hotcut/notify-reload.conf"),
    ]:
        subprocess.run(["install", "-D", "-m", "644", CHECKOUT / "systemd" / file, root / place], check=True)
    (root / "etc/hotcut").mkdir()
    (root / "etc/hotcut/hotcut.toml").write_text("")
    for command in [
        ["systemd-sysusers", "hotcut.conf"],
        ["systemd-tmpfiles", "--create", "hotcut.conf"],
        ["systemctl", "enable", "hotcut"],
    ]:
        inside = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--private-network", "--pipe", "-D", root, *command]
        done = subprocess.run(inside, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert done.returncode == 0, f"{command}:\n{done.stdout}"
