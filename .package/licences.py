"""Cargo.lock -> the licence texts of every crate that is compiled into hotcut, each text once, on stdout."""

import json
import re
import subprocess
from pathlib import Path

LICENCE_FILE = re.compile(r"(licen[cs]e|copying|notice|copyright|unlicense)", re.IGNORECASE)


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
    folder = Path(package["manifest_path"]).parent
    files = [file for file in folder.iterdir() if LICENCE_FILE.match(file.name) and file.is_file()]
    return [file.read_text(encoding="utf-8", errors="replace").strip() for file in sorted(files)]


def main():
    crates_of = {}
    print("hotcut contains these Rust crates:\n")
    for package in packages():
        crate = f"{package['name']} {package['version']}"
        authors = ", ".join(re.sub(r" *<[^>]*>", "", author) for author in package["authors"])
        print(f"  {crate}: {package['license']}{authors and ', by ' + authors}")
        for text in texts(package):
            crates_of.setdefault(text, []).append(crate)
    for text, crates in crates_of.items():
        print(f"\n{'=' * 80}\n{', '.join(crates)}\n{'=' * 80}\n\n{text}")


if __name__ == "__main__":
    main()
