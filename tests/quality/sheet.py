"""Converts cutouts to a sheet of crops at 100 % over four grounds (.quality/sheet.png)."""

import cv2
import numpy as np
from PIL import Image, ImageDraw

import evaluation_set
import metrics
import pictures
import programs
import scores

SIDE, LABEL_PX = 104, 14
COLUMNS = ("rembg", "rembg -a", "student off", "student auto", "u2net auto")
TYPICAL_FOR = "student off"
TARGET = pictures.WORK / "sheet.png"
BYTES_MAX = 1_000_000


def busiest(alpha, side):
    """The corner (left, top) of the square with the most edge in it, as half-transparent pixels count."""
    edge = 4 * alpha * (1 - alpha) + 0.05 * metrics.band_of(alpha)
    sums = cv2.boxFilter(edge.astype(np.float32), -1, (side, side), normalize=False, borderType=cv2.BORDER_CONSTANT)
    height, width = alpha.shape
    half = side // 2
    inner = sums[half : max(half + 1, height - half), half : max(half + 1, width - half)]
    top, left = np.unravel_index(int(inner.argmax()), inner.shape)
    return int(left), int(top)


def on_ground(colour, alpha, ground):
    mixed = ground + alpha[..., None] * (colour - ground)
    return Image.fromarray(np.rint(mixed).clip(0, 255).astype(np.uint8))


def column(layer, window):
    """One crop over each of the four grounds, below one another."""
    strip = Image.new("RGB", (SIDE, SIDE * len(metrics.GROUNDS)))
    colour, alpha = layer[0][window], layer[1][window]
    for number, ground in enumerate(metrics.GROUNDS):
        strip.paste(on_ground(colour, alpha, ground), (0, SIDE * number))
    return strip


def block(name, rows):
    """Photo, truth and cutouts of one picture."""
    truth = scores.load(evaluation_set.SET / "truth" / f"{name}.png")
    left, top = busiest(truth[1], SIDE)
    window = np.s_[top : top + SIDE, left : left + SIDE]
    photo = np.asarray(Image.open(evaluation_set.SET / "photos" / f"{name}.jpg").convert("RGB"))
    layers = [truth] + [scores.load(programs.folder_of(row) / f"{name}.png") for row in rows]
    canvas = Image.new("RGB", (SIDE * (len(layers) + 1), LABEL_PX + SIDE * len(metrics.GROUNDS)), "white")
    canvas.paste(Image.fromarray(photo[window]), (0, LABEL_PX))
    for number, (label, layer) in enumerate(zip(["truth", *rows], layers), 1):
        canvas.paste(column(layer, window), (SIDE * number, LABEL_PX))
        ImageDraw.Draw(canvas).text((SIDE * number + 2, 1), label, "black")
    ImageDraw.Draw(canvas).text((2, 1), name, "black")
    return canvas


def save_small(sheet, target):
    """As PNG of as many colours as fit into a megabyte."""
    for colours in (256, 128, 64, 32):
        sheet.quantize(colours, dither=Image.Dither.FLOYDSTEINBERG).save(target, optimize=True)
        if target.stat().st_size < BYTES_MAX:
            return
    raise RuntimeError(f"{target} is larger than a megabyte")


def typical(rows, subset):
    """The picture of a subset whose edge error without refinement is the median; one of 1 megapixel, which all rows have."""
    few = set.intersection(*(set(rows[row]) for row in (TYPICAL_FOR, *COLUMNS) if row in rows))
    few = [name for name in few if evaluation_set.subset_of(name) == subset and name not in evaluation_set.LARGE]
    few.sort(key=lambda name: (rows[TYPICAL_FOR][name]["edge"], name))
    return few[len(few) // 2 : len(few) // 2 + 1]


def write(rows):
    """A block for a typical picture of each subset, two blocks a line."""
    columns = [row for row in COLUMNS if row in rows]
    blocks = [block(name, columns) for subset in evaluation_set.COUNTS for name in typical(rows, subset)]
    width, height = blocks[0].size
    gap, across = SIDE // 8, 2
    sheet = Image.new("RGB", (across * (width + gap) - gap, -(-len(blocks) // across) * height), "white")
    for number, one in enumerate(blocks):
        sheet.paste(one, (number % across * (width + gap), number // across * height))
    save_small(sheet, TARGET)
