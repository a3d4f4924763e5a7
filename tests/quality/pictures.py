"""Converts Debian packages to .quality/images: the cutouts, photos and scenes of the evaluation part, once each.

Which picture belongs to which part is decided as for the distillation: by the SHA-256 of the file. Of the training part and of
the reserved part nothing is kept.
"""

import hashlib
import json
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / ".quality"
sys.path.insert(0, str(ROOT / "models/distill"))

from distill import data, split  # noqa: E402

KINDS = {"cutout", "photo", "scene"}
# Large packages that hold one or two pictures of the evaluation part.
SKIPPED = {"plasma-workspace-wallpapers", "mate-backgrounds"}


def wanted():
    """SHA-256 -> (kind, package) of the pictures of the evaluation part that the committed manifest lists."""
    lines = (line.split("\t") for line in data.COMMITTED.read_text().splitlines())
    return {
        name: (kind, package)
        for name, kind, package in lines
        if split.part(name) == "eval" and kind in KINDS and package not in SKIPPED and not split.is_twin(name)
    }


def fetch_package(package, names, images):
    """Keeps the pictures of one package that are named, and removes what was unpacked."""
    folder = data.unpack(package, WORK)
    for _, contents in data.pictures(folder):
        name = split.name(contents)
        if name in names:
            (images / name).write_bytes(contents)
    shutil.rmtree(WORK / "packages")


def fetch():
    """Makes .quality/images complete; returns paths by kind, in the order of their names."""
    images = WORK / "images"
    images.mkdir(parents=True, exist_ok=True)
    pictures = wanted()
    missing = {name for name in pictures if not (images / name).is_file()}
    packages = sorted({pictures[name][1] for name in missing})
    for number, package in enumerate(packages, 1):
        print(f"[{number}/{len(packages)}] {package}", flush=True)
        fetch_package(package, {name for name in missing if pictures[name][1] == package}, images)
    gone = sorted(name for name in pictures if not (images / name).is_file())
    if gone:
        sys.exit(f"the packages no longer hold {len(gone)} pictures that {data.COMMITTED.name} lists: {gone[0]}, ...")
    return {kind: sorted(images / name for name, (k, _) in pictures.items() if k == kind) for kind in sorted(KINDS)}


def fingerprint(paths):
    """SHA-256 over the names of pictures: what ties a table to its data."""
    return hashlib.sha256(json.dumps(sorted(path.name for path in paths)).encode()).hexdigest()


if __name__ == "__main__":
    for kind, paths in fetch().items():
        print(f"{kind:8}{len(paths):5}")
