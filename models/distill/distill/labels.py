"""`images/` + the teacher -> `views/`: pictures of 320 x 320 with the teacher's opinion of each (labels).

A photo gives a view of its whole and, for training, of parts of it; a drawing one view; cutouts and
scenes of the same part give composites, and for training half of the cutouts are figures. Scenes in
which the teacher sees an object are no backgrounds. Of composites the truth is known, so for training
the teacher is not asked; for evaluation it is, to be compared. Views are made in the order of their
use: an interrupted run leaves pools that can be trained on.
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
from .views import SIDE, Writer, load
from .work import add_teacher, add_work, manifest

Image.MAX_IMAGE_PIXELS = None
CALM_MAX = 0.15
FIGURES_SHARE = 0.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_work(parser)
    add_teacher(parser)
    parser.add_argument("--composites", type=int, default=1200, help="for training (default: %(default)s)")
    parser.add_argument("--eval-composites", type=int, default=150, help="for evaluation (default: %(default)s)")
    parser.add_argument("--crops", type=int, default=2, help="parts of each training photo (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of composites and crops (default: %(default)s)")


def named(entries: list[dict], kind: str) -> list[str]:
    return [entry["sha256"] for entry in entries if entry["kind"] == kind]


def wholes(entries: list[dict]) -> Iterator[dict]:
    """The views of whole photos and scenes."""
    for kind in ("photo", "scene"):
        for name in named(entries, kind):
            yield {"view": f"{name[:16]}-whole", "kind": kind, "of": [name]}


def composed(entries: list[dict], count: int, seed: int) -> Iterator[dict]:
    cutouts, figures = named(entries, "cutout"), named(entries, "figure")
    backgrounds = named(entries, "scene")
    for number in range(count if cutouts and backgrounds else 0):
        view = f"composite-{seed}-{number}"
        dice = random.Random(view)
        objects = figures if figures and dice.random() < FIGURES_SHARE else cutouts
        chosen = dice.sample(objects, min(len(objects), 2 if dice.random() < 0.12 else 1))
        yield {"view": view, "kind": "composite", "of": [*chosen, dice.choice(backgrounds)]}


def plan(
    entries: list[dict], composites: int, crops: int, seed: int, usable: list[dict] | None = None
) -> Iterator[dict]:
    """What views there will be, in order. Entries are of one part; `usable` ones are composed."""
    yield from wholes(entries)
    yield from composed(entries if usable is None else usable, composites, seed)
    for name in named(entries, "drawing"):
        yield {"view": f"{name[:16]}-whole", "kind": "drawing", "of": [name]}
    for number in range(crops):
        for whole in wholes(entries):
            view = whole["view"].replace("whole", f"crop-{seed}-{number}")
            yield {**whole, "view": view}


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
            left = (time.monotonic() - start) / done * (len(todo) - done) / 60
            made = len(lines) - len(todo) + done
            print(f"{part}: {made} of {len(lines)} views, {left:.0f} min left", flush=True)


def composable(part: str, entries: list[dict], work: Path) -> list[dict]:
    """Without what is not composed: figures for evaluation, scenes that hold an object."""
    pool = load(work, part)
    busy = {
        line["of"][0]
        for number, line in enumerate(pool.index)
        if line["kind"] == "scene" and line["view"].endswith("-whole")
        and pool.teacher[number].mean() >= 255 * CALM_MAX
    }
    print(f"{part}: {len(busy)} scenes hold an object and are no backgrounds", flush=True)
    no_figures = part == "eval"
    return [
        e for e in entries if e["sha256"] not in busy and not (no_figures and e["kind"] == "figure")
    ]


def main(args: argparse.Namespace) -> None:
    judge = Judge(args.teacher)
    entries = {part: manifest(args.work, part) for part in ("eval", "train")}
    for part in entries:
        fill(part, list(wholes(entries[part])), judge, args.work)
    counts = {"eval": (args.eval_composites, 0), "train": (args.composites, args.crops)}
    for part, (composites, crops) in counts.items():
        usable = composable(part, entries[part], args.work)
        lines = plan(entries[part], composites, crops, args.seed, usable)
        fill(part, list(lines), judge, args.work)
