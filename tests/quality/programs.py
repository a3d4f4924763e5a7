"""Converts photos to cutouts by rembg and by hotcut in each of their ways, with the time that each photo took.

rembg is used as `rembg p` uses it: one session, U²-Net, all cores. hotcut runs once for each model and way, one worker a core.
"""

import json
import math
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from PIL import Image

import pictures

PROGRAM = Path(os.environ.get("HOTCUT") or pictures.ROOT / "target/release/hotcut")
OUT = pictures.WORK / "out"
MODELS = ("student", "student-fast", "u2net")
EDGES = ("off", "auto", "soft", "hard")
REMBG = {"rembg": {}, "rembg -a": {"alpha_matting": True}, "rembg -dc": {"decontaminate": True}}
# Closed-form matting at full size takes minutes and many GB for a photo of 12 megapixels, and seconds for one of 1.
MATTING_MAX_MP, MATTING_SHARE = 4.0, 0.35
# Not a fault: the network sees nothing, and there is no cutout to deliver.
NOTHING = "no subject found"

Image.MAX_IMAGE_PIXELS = None


def megapixels(path):
    with Image.open(path) as photo:
        return photo.width * photo.height / 1e6


def folder_of(row):
    """Where the cutouts of a row lie."""
    return OUT / re.sub(r"\W+", "-", row)


def emptied(row):
    folder = folder_of(row)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


class Rembg:
    """A loaded session whose inference can be told from the rest."""

    def __init__(self):
        os.environ["U2NET_HOME"] = str(pictures.ROOT / ".bench/u2net")
        # Imported late: a run over hotcut alone does without it.
        import rembg

        self.rembg, self.session, self.inference_s = rembg, rembg.new_session("u2net"), 0.0
        self.predict, self.session.predict = self.session.predict, self.timed

    def timed(self, *args, **kwargs):
        start = time.perf_counter()
        masks = self.predict(*args, **kwargs)
        self.inference_s = time.perf_counter() - start
        return masks

    def cut(self, photo, target, options):
        """Writes one cutout; returns milliseconds from file to file (`all`) and of what follows the mask (`after`)."""
        start = time.perf_counter()
        picture = Image.open(photo).convert("RGB")
        before = time.perf_counter()
        cutout = self.rembg.remove(picture, session=self.session, **options)
        after_s = time.perf_counter() - before - self.inference_s
        cutout.save(target)
        return {"all": 1e3 * (time.perf_counter() - start), "after": 1e3 * after_s}


def affordable(photos):
    """The photos for alpha matting. Those at the beginning are of all subsets."""
    return [photo for photo in photos if megapixels(photo) <= MATTING_MAX_MP][: math.ceil(MATTING_SHARE * len(photos))]


def rembg_rows(photos):
    """Row -> name -> times. Of the first photo the times are those of a second try: libraries compile as they go."""
    rembg, rows = Rembg(), {}
    for row, options in REMBG.items():
        folder, rows[row] = emptied(row), {}
        few = affordable(photos) if "alpha_matting" in options else photos
        print(f"{row}: {len(few)} photos", flush=True)
        for photo in [*few[:1], *few]:
            rows[row][photo.stem] = rembg.cut(photo, folder / f"{photo.stem}.png", options)
    return rows


def has_edges():
    """Whether this hotcut knows `--edges`."""
    told = subprocess.run([PROGRAM, "cut", "--help"], check=True, capture_output=True, text=True)
    return "--edges" in told.stdout


def hotcut_row(photos, folder, options):
    """Name -> times of one run. A photo without a subject gives an empty cutout; one that fails otherwise ends the measurement."""
    command = [PROGRAM, "cut", *photos, "-o", folder, "--models-dir", pictures.ROOT / "models", "--log-format", "json", *options]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    records = [json.loads(line) for line in done.stdout.splitlines()]
    empty = [Path(record["photo"]) for record in records if record.get("reason") == NOTHING]
    failed = [record for record in records if record["result"] != "done" and record.get("reason") != NOTHING]
    if done.returncode not in (0, int(bool(empty))) or failed or len(records) != len(photos):
        sys.exit(f"hotcut cut {' '.join(map(str, options))} ended with {done.returncode}: {failed or done.stderr[-2000:]}")
    for photo in empty:
        Image.new("RGBA", Image.open(photo).size).save(folder / f"{photo.stem}.png")
    return {Path(record["photo"]).stem: times(record) for record in records if record["result"] == "done"}


def times(record):
    """Milliseconds: `all`, and what each stage took if hotcut tells it."""
    stages = record.get("stages_ms") or {}
    return {"all": float(record["duration_ms"]), **{f"{name}_ms": float(ms) for name, ms in dict(stages).items()}}


def hotcut_rows(photos):
    """Row -> name -> times, for every model and every way that this hotcut has."""
    rows, ways = {}, EDGES if has_edges() else ("off",)
    for model in MODELS:
        for way in ways:
            row = f"{model} {way}"
            print(f"hotcut {row}: {len(photos)} photos", flush=True)
            options = ["--model", model] + (["--edges", way] if len(ways) > 1 else [])
            rows[row] = hotcut_row(photos, emptied(row), options)
    return rows
