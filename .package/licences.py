"""Cargo.lock -> the licence texts of all Rust code that is compiled into hotcut, each text once, on stdout. Fails for a crate without one."""

import json
import re
import subprocess
import sys
from pathlib import Path

LICENCE_FILE = re.compile(r"(licen[cs]e|copying|notice|copyright|unlicense)([-._][\w.-]*)?", re.IGNORECASE)

# Those that are published without its text. Each was looked at: its own `license` is this one and no other.
WITHOUT_TEXT = {"binrw": "MIT", "binrw_derive": "MIT", "governor": "MIT"}

# What is not compiled in has no say.
NOT_COMPILED = {"tests", "benches", "examples", "fuzz"}


def compiled():
    """(name, version) of the crates, without those of tests and of the build."""
    command = ["cargo", "tree", "--locked", "--edges", "normal", "--prefix", "none", "--format", "{p}"]
    lines = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    return {tuple(line.split()[:2]) for line in lines if not line.startswith("hotcut ")}


def packages():
    command = ["cargo", "metadata", "--locked", "--format-version", "1"]
    metadata = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    wanted = compiled()
    found = [package for package in metadata["packages"] if (package["name"], "v" + package["version"]) in wanted]
    return sorted(found, key=lambda package: (package["name"], package["version"]))


def texts(package):
    """Those beside its manifest and those of code that it has taken from others."""
    folder = Path(package["manifest_path"]).parent
    files = [file for file in folder.rglob("*") if LICENCE_FILE.fullmatch(file.name) and file.suffix not in (".rs", ".c", ".h") and file.is_file()]
    files = [file for file in files if not NOT_COMPILED & set(file.relative_to(folder).parts)]
    if not any(file.parent == folder for file in files):
        yield without_text(package)
    for file in sorted(files):
        yield file.read_text(encoding="utf-8", errors="replace").strip()


def without_text(package):
    name, licence = package["name"], package["license"]
    if licence is None or WITHOUT_TEXT.get(name) != licence:
        sys.exit(f"licences: {name} {package['version']} ({licence}) has no licence text, and no entry in WITHOUT_TEXT")
    return mit(authors(package) or f"the authors of {name}")


def mit(holders):
    """Its text as Debian's list of licences has it, with the line that it wants."""
    [block] = re.findall(r"^License: Expat\n((?: .*\n)+)", (Path(__file__).parent / "copyright").read_text(), re.MULTILINE)
    text = "\n".join("" if line == " ." else line[1:] for line in block.splitlines())
    return f"Copyright (c) {holders}\n\n{text}"


def authors(package):
    return ", ".join(re.sub(r" *<[^>]*>", "", author) for author in package["authors"])


def main():
    crates_of = {}
    print("hotcut contains these Rust crates:\n")
    for package in packages():
        crate = f"{package['name']} {package['version']}"
        by = authors(package)
        print(f"  {crate}: {package['license']}{by and ', by ' + by}")
        for text in texts(package):
            crates_of.setdefault(text, []).append(crate)
    version = subprocess.run(["rustc", "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout.split()[1]
    print(f"\nand the standard library of Rust {version}: MIT OR Apache-2.0, by the Rust Project Developers and the authors of what it contains")
    crates_of[mit("The Rust Project Developers")] = [f"the standard library of Rust {version}"]
    for text, crates in crates_of.items():
        print(f"\n{'=' * 80}\n{', '.join(crates)}\n{'=' * 80}\n\n{text}")


if __name__ == "__main__":
    main()
