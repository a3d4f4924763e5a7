"""`images/` + the teacher -> `views/`: pictures of 320 x 320 with the teacher's opinion of each (soft labels).

A photo gives a view of its whole and, for training, of parts of it; a drawing one view; cutouts and scenes
of the same part give composites. Of those the truth is known, so for training the teacher is not asked;
for evaluation it is, to be compared. Views are made in the order of their use: an interrupted run leaves pools
that can be trained on.
"""

import argparse
import random
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from .compose import composite, open_picture, random_crop
from .judge import Judge
from .views import SIDE, Writer
from .work import add_teacher, add_work, manifest

Image.MAX_IMAGE_PIXELS = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_work(parser)
    add_teacher(parser)
    parser.add_argument("--composites", type=int, default=1200, help="for training (default: %(default)s)")
    parser.add_argument("--eval-composites", type=int, default=150, help="for evaluation (default: %(default)s)")
    parser.add_argument("--crops", type=int, default=2, help="parts of each training photo (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of composites and crops (default: %(default)s)")


def plan(entries: list[dict], composites: int, crops: int, seed: int) -> Iterator[dict]:
    """What views there will be, in order."""
    by_kind = {kind: [e["sha256"] for e in entries if e["kind"] == kind] for kind in ("cutout", "scene", "photo", "drawing")}
    photos = [(name, "photo") for name in by_kind["photo"]] + [(name, "scene") for name in by_kind["scene"]]
    for name, kind in photos:
        yield {"view": f"{name[:16]}-whole", "kind": kind, "of": [name]}
    for number in range(composites):
        view = f"composite-{seed}-{number}"
        dice = random.Random(view)
        cutouts = dice.sample(by_kind["cutout"], 2 if dice.random() < 0.12 else 1)
        yield {"view": view, "kind": "composite", "of": [*cutouts, dice.choice(by_kind["scene"])]}
    for name in by_kind["drawing"]:
        yield {"view": f"{name[:16]}-whole", "kind": "drawing", "of": [name]}
    for number in range(crops):
        for name, kind in photos:
            yield {"view": f"{name[:16]}-crop-{seed}-{number}", "kind": kind, "of": [name]}


def draw(line: dict, images: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """The view's picture and, if it is known, its true alpha."""
    if line["kind"] == "composite":
        *cutouts, background = line["of"]
        cutouts = [open_picture((images / name).read_bytes(), "RGBA") for name in cutouts]
        return composite(cutouts, open_picture((images / background).read_bytes()), SIDE, line["view"])
    picture = open_picture((images / line["of"][0]).read_bytes())
    if "-crop-" in line["view"]:
        picture = random_crop(picture, 0.45, random.Random(line["view"]))
    return np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS)), None


def to_bytes(opacity: np.ndarray) -> np.ndarray:
    return np.rint(255 * opacity).astype(np.uint8)


def fill(part: str, lines: list[dict], judge: Judge, work: Path) -> None:
    writer = Writer(work, part)
    todo = [line for line in lines if line["view"] not in writer.known]
    start = time.monotonic()
    for done, line in enumerate(todo, 1):
        picture, truth = draw(line, work / "images")
        maps = {"picture": picture}
        if truth is not None:
            maps["truth"] = truth
        known = truth is not None and part == "train"
        maps["teacher"] = truth if known else to_bytes(judge(picture))
        if part == "eval" and line["kind"] in ("photo", "scene"):
            maps["mirrored"] = to_bytes(judge(picture[:, ::-1])[:, ::-1])
        writer.append(line, **maps)
        if done % 50 == 0 or done == len(todo):
            left = (time.monotonic() - start) / done * (len(todo) - done)
            print(f"{part}: {len(writer.known)} of {len(lines)} views, {left / 60:.0f} min left", flush=True)


def main(args: argparse.Namespace) -> None:
    judge = Judge(args.teacher)
    plans = {
        "eval": list(plan(manifest(args.work, "eval"), args.eval_composites, 0, args.seed)),
        "train": list(plan(manifest(args.work, "train"), args.composites, args.crops, args.seed)),
    }
    for part, lines in plans.items():
        fill(part, lines, judge, args.work)
