"""Converts cutouts and their truth to the figures of each row and picture, all processors at work."""

import concurrent.futures
import multiprocessing
import os

import cv2
import numpy as np
from PIL import Image

import evaluation_set
import metrics

PREMULTIPLIED = ", premultiplied"


def unrefined(row):
    """The row whose alpha is the mask itself: rembg's default, or the model's `off`."""
    return "rembg" if row.startswith("rembg") else f"{row.split()[0]} off"


def load(path):
    """Straight colour (0..255) and alpha (0..1)."""
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGBA"))
    return pixels[..., :3].astype(np.float32), pixels[..., 3].astype(np.float32) / 255


def truth_of(name):
    return metrics.Truth(*load(evaluation_set.SET / "truth" / f"{name}.png"))


def box_megapixels(alpha):
    """The area of the smallest box around what is seen."""
    rows, columns = np.nonzero(alpha.any(axis=1))[0], np.nonzero(alpha.any(axis=0))[0]
    return float((np.ptp(rows) + 1) * (np.ptp(columns) + 1) / 1e6) if len(rows) else 0.0


def score(name, folders):
    """Row -> figures of one picture. The unrefined rows of hotcut are scored with dimmed colours too, as rembg's default has them."""
    cv2.setNumThreads(1)
    truth = truth_of(name)
    facts = {"mp": truth.alpha.size / 1e6, "box": box_megapixels(truth.alpha)}
    found, masks = {}, {}
    # The unrefined come first: the others need their masks.
    for row in sorted(folders, key=lambda row: row != unrefined(row)):
        path = folders[row] / f"{name}.png"
        if not path.is_file():
            continue
        colour, alpha = load(path)
        if alpha.shape != truth.alpha.shape:
            raise RuntimeError(f"{path} has another size than its photo")
        if row == unrefined(row):
            masks[row] = alpha
        mask = masks.get(unrefined(row), alpha)
        found[row] = metrics.judge(colour, alpha, mask, truth) | facts
        if row.endswith(" off"):
            found[row + PREMULTIPLIED] = metrics.judge(colour * alpha[..., None], alpha, mask, truth) | facts
    return found


def all_scores(names, folders):
    """Row -> picture -> figures."""
    rows = {}
    for row in folders:
        rows[row] = {}
        if row.endswith(" off"):
            rows[row + PREMULTIPLIED] = {}
    # Not forked: rembg's libraries have threads in this process.
    fresh = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(len(os.sched_getaffinity(0)), fresh) as pool:
        for name, found in zip(names, pool.map(score, names, [folders] * len(names))):
            for row, figures in found.items():
                rows[row][name] = figures
    return {row: figures for row, figures in rows.items() if figures}


def with_times(rows, times):
    """Adds the milliseconds: `all`, and `extra`, what the row takes beyond the unrefined one of the same mask."""
    for row, names in rows.items():
        own, base = times.get(row, {}), times.get(unrefined(row), {})
        for name, figures in names.items():
            figures.update(own.get(name, {}))
            if name in own and name in base:
                figures["extra"] = extra(own[name], base[name])
    return rows


def extra(own, base):
    """By the stages if they are told, else by what follows the mask, else by the whole photo."""
    if "refine_ms" in own or "colour_ms" in own:
        return own.get("refine_ms", 0) + own.get("colour_ms", 0)
    key = "after" if "after" in own else "all"
    return own[key] - base[key]
