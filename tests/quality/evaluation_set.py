"""Converts the evaluation part and random numbers to .quality/set: photos (JPEG) and their truth (PNG, straight colour and coverage).

Everything follows from the name of a picture: it is the same however many are made.
"""

import concurrent.futures
import hashlib
import io
import json
import os
import random
import shutil
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

import grounds
import layers
import pictures
import subjects

SET = pictures.WORK / "set"
COUNTS = {"studio": 36, "shadowed": 28, "bokeh": 32, "hard": 24, "hair": 24, "thin": 14, "soft": 12}
SIZES = [(1224, 816), (816, 1224), (1000, 1000), (1155, 866), (866, 1155)]
# Those of another size, by subset and number.
LARGE = {
    **dict.fromkeys(["studio-19", "studio-23", "shadowed-15", "bokeh-17", "hair-13", "thin-08"], (4000, 3000)),
    "studio-27": (3000, 4000),
    "studio-31": (6000, 4000),
    "bokeh-25": (6000, 4000),
    "hair-19": (4000, 6000),
}
# Cutouts of animals and of a toy bear, by the beginning of their names: those on which hair is no surprise.
FURRY = ("a99a5c87", "a9b45cb2", "aabc84e7", "aba4c267", "ac942f3b", "acf99a92", "b1aa4f2c", "b60f2d0e", "b6e74356", "b717979b", "bab9ff97")
GENERATORS = ["evaluation_set.py", "grounds.py", "layers.py", "pictures.py", "subjects.py"]


def names(count):
    """The first `count` pictures, in an order in which every subset has its share."""
    ranked = [((number + 0.5) / total, f"{subset}-{number:02}") for subset, total in COUNTS.items() for number in range(total)]
    return [name for _, name in sorted(ranked)][:count]


def subset_of(name):
    return name.rpartition("-")[0]


def is_subject(path):
    """Whether a cutout is large enough, and more than glow."""
    colour, alpha = layers.open_cutout(path)
    seen = alpha > 0.05
    return min(alpha.shape) >= 90 and max(alpha.shape) >= 120 and (alpha[seen] < 0.95).mean() < 0.5


def ground_for(subset, size, parts, dice):
    if subset in ("studio", "shadowed"):
        return grounds.plain(size, dice)
    if subset == "hard":
        return grounds.photo(dice.choice(parts["scene"]), size, dice)
    if subset == "bokeh" or dice.random() < 0.5:
        return grounds.bokeh(dice.choice(parts["scene"]), size, dice)
    return grounds.plain(size, dice)


def subject_for(subset, size, number, parts, dice):
    noise = np.random.default_rng(dice.getrandbits(32))
    if subset == "thin" and number % 2:
        return subjects.spokes(size, dice)
    # In turn, so that each is used about as often; large ones for large pictures.
    cutouts = parts["large"] if size[0] * size[1] > 3e6 else parts["cutout"]
    if subset == "hair":
        cutouts = [path for path in cutouts if path.name.startswith(FURRY)]
    path = cutouts[(number * 7 + list(COUNTS).index(subset) * 11) % len(cutouts)]
    room = 0.72 if subset in ("hair", "thin") else 0.92
    bottom = dice.uniform(0.06, 0.15) if subset == "shadowed" else None
    layer = layers.place(path, size, dice.uniform(0.6, 1) * room, bottom, dice)
    if subset == "hair":
        return subjects.hairs(layer, size, dice, noise)
    if subset == "thin":
        return subjects.wires(layer, size, dice, noise)
    if subset == "soft":
        return subjects.veil(layer, size, dice, noise) if number % 2 else subjects.defocus(layer, size, dice)
    return layer


def photographed(picture, dice):
    """What a camera adds: grain, and JPEG at a quality of 85 to 95."""
    noise = np.random.default_rng(dice.getrandbits(32))
    picture += noise.standard_normal(picture.shape, np.float32) * dice.uniform(0.5, 2.2)
    quality, stored = dice.randint(85, 95), io.BytesIO()
    image = Image.fromarray(np.rint(picture).clip(0, 255).astype(np.uint8))
    image.save(stored, "JPEG", quality=quality, subsampling=0 if quality > 91 else 2)
    return stored.getvalue()


def make(name, parts):
    """Writes one picture and its truth."""
    cv2.setNumThreads(1)
    dice = random.Random(f"hotcut {name}")
    subset, number = subset_of(name), int(name.rpartition("-")[2])
    size = LARGE.get(name) or dice.choice(SIZES)
    colour, alpha = subject_for(subset, size, number, parts, dice)
    # The truth has 8 bits: the photo is made of what is stored.
    truth = np.dstack([np.rint(colour), np.rint(alpha * 255)]).clip(0, 255).astype(np.uint8)
    truth[truth[..., 3] == 0] = 0
    alpha = truth[..., 3].astype(np.float32) / 255
    ground = ground_for(subset, size, parts, dice)
    if subset == "shadowed":
        ground = grounds.shadow(ground, alpha, dice)
    picture = ground + alpha[..., None] * (truth[..., :3] - ground)
    Image.fromarray(truth).save(SET / "truth" / f"{name}.png", compress_level=1)
    unfinished = SET / f"{name}.part"
    unfinished.write_bytes(photographed(picture, dice))
    unfinished.rename(SET / "photos" / f"{name}.jpg")


def stamp():
    """Changes with anything that the pictures are made by."""
    here = Path(__file__).parent
    digest = hashlib.sha256("".join((here / name).read_text() for name in GENERATORS).encode())
    return digest.hexdigest()


def prepare(count):
    """Makes what is missing of the first `count` pictures; returns their names."""
    parts = pictures.fetch()
    parts["cutout"] = [path for path in parts["cutout"] if is_subject(path)]
    parts["large"] = [path for path in parts["cutout"] if min(Image.open(path).size) >= 180]
    written = SET / "stamp.json"
    if not written.is_file() or json.loads(written.read_text()) != stamp():
        shutil.rmtree(SET, ignore_errors=True)
    for folder in ("photos", "truth"):
        (SET / folder).mkdir(parents=True, exist_ok=True)
    written.write_text(json.dumps(stamp()))
    wanted = names(count)
    missing = [name for name in wanted if not (SET / "photos" / f"{name}.jpg").is_file()]
    if missing:
        print(f"making {len(missing)} pictures", flush=True)
        with concurrent.futures.ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            list(pool.map(make, missing, [parts] * len(missing)))
    return wanted
