"""Debian packages -> `images/` and `manifest.jsonl`: every usable picture once, with its kind and part.

Of a reserved picture only the header is read, for its size; it is not kept.
"""

import argparse
import hashlib
import io
import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from . import rcc, sources, split
from .work import add_work

SIDE_MIN = 160
DRAWINGS_SHARE = 16
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
COMMITTED = Path(__file__).parent.parent / "manifest.tsv"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_work(parser)
    parser.add_argument("--strict", action="store_true", help="fail if the data are not those of manifest.tsv")


def unpack(package: str, work: Path) -> Path:
    """Downloads and unpacks one package, unless that was done before."""
    target = work / "packages" / package
    if target.is_dir():
        return target
    downloads = work / "debs"
    downloads.mkdir(parents=True, exist_ok=True)
    if subprocess.run(["apt-get", "download", "-qq", package], cwd=downloads).returncode:
        raise SystemExit(f"cannot download {package}: run `apt-get update` (Debian 12), try again")
    (archive,) = downloads.glob(f"{package}_*.deb")
    (work / "packages").mkdir(exist_ok=True)
    unpacked = archive.name.split("_")[1].replace("%3a", ":")
    (work / "packages" / f"{package}.version").write_text(unpacked)
    unfinished = target.with_name(f"{package}.unfinished")
    subprocess.run(["dpkg-deb", "-x", archive, unfinished], check=True)
    unfinished.rename(target)
    archive.unlink()
    return target


def version(package: str, work: Path) -> str:
    """What `unpack` unpacked; unknown for a package that came here in another way."""
    path = work / "packages" / f"{package}.version"
    return path.read_text() if path.is_file() else "unknown"


def pictures(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Path and contents of every picture file of an unpacked package, those in Qt archives included."""
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        inside = str(path.relative_to(folder))
        if path.suffix.lower() in SUFFIXES:
            yield inside, path.read_bytes()
        elif path.suffix == ".rcc":
            for name, contents in rcc.files(path.read_bytes()):
                if Path(name).suffix.lower() in SUFFIXES:
                    yield f"{inside}/{name}", contents


def has_alpha(image: Image.Image) -> bool:
    """Whether both nothing and something are clearly seen through."""
    if image.mode not in ("RGBA", "LA", "PA") and "transparency" not in image.info:
        return False
    low, high = image.convert("RGBA").getchannel("A").getextrema()
    return low < 16 and high > 240


def entry(package: str, version: str, path: str, contents: bytes) -> dict | str:
    """The manifest's line for one file, or why it is left out."""
    kind = sources.kind(package, path)
    if kind is None:
        return "not wanted"
    name = split.name(contents)
    if package == "openclipart-png" and int(name[-2:], 16) % DRAWINGS_SHARE:
        return "one drawing in many is enough"
    try:
        image = Image.open(io.BytesIO(contents))
        part = split.part(name)
        if part != "reserved":
            image.load()
            if kind in ("cutout", "figure") and not has_alpha(image):
                kind = "drawing"
    except (OSError, SyntaxError, ValueError) as error:
        return f"unreadable: {type(error).__name__}"
    if min(image.size) < SIDE_MIN and kind != "cutout" or min(image.size) < SIDE_MIN / 2:
        return "too small"
    width, height = image.size
    return {
        "sha256": name, "kind": kind, "part": part, "package": package, "version": version,
        "path": path, "width": width, "height": height,
    }  # fmt: skip


def fingerprint(entries: list[dict]) -> str:
    """SHA-256 over names and kinds: what ties a training run to its data."""
    lines = sorted(f"{e['sha256']} {e['kind']}\n" for e in entries)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def main(args: argparse.Namespace) -> None:
    images = args.work / "images"
    images.mkdir(parents=True, exist_ok=True)
    found: dict[str, dict] = {}
    left_out: Counter = Counter()
    for number, package in enumerate(sources.PACKAGES, 1):
        print(f"[{number}/{len(sources.PACKAGES)}] {package}", flush=True)
        folder = unpack(package, args.work)
        unpacked = version(package, args.work)
        for path, contents in pictures(folder):
            result = entry(package, unpacked, path, contents)
            if isinstance(result, str):
                left_out[result] += 1
            elif result["sha256"] in found:
                left_out["twice"] += 1
            else:
                found[result["sha256"]] = result
                if result["part"] != "reserved":
                    (images / result["sha256"]).write_bytes(contents)
    entries = sorted(found.values(), key=lambda e: e["sha256"])
    (args.work / "manifest.jsonl").write_text("".join(json.dumps(e) + "\n" for e in entries))
    for (part, kind), count in sorted(Counter((e["part"], e["kind"]) for e in entries).items()):
        print(f"{part:9} {kind:8} {count:6}")
    print("left out:", dict(left_out))
    print("fingerprint:", fingerprint(entries))
    compare(entries, args.strict)


def compare(entries: list[dict], strict: bool) -> None:
    """Says whether these are the data that the shipped student was trained on."""
    table = "".join(f"{e['sha256']}\t{e['kind']}\t{e['package']}\n" for e in entries)
    if not COMMITTED.is_file():
        COMMITTED.write_text(table)
    elif COMMITTED.read_text() != table:
        message = f"the packages hold other pictures than {COMMITTED.name} lists: the student will differ"
        if strict:
            raise SystemExit(message)
        print(message)
