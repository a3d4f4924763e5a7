"""Converts a cutout and the truth to figures: edge error, its parts, alpha PSNR, IoU and colour error.

Alphas are arrays of 0..1, colours of 0..255. The band is what lies within 6 pixels (steps along rows and columns) of the true edge,
on both sides; the true edge is where the coverage crosses a half.
"""

import dataclasses

import cv2
import numpy as np

BAND_PX = 6
# White, black, blue and red: on a ground like the old background no rim is seen.
GROUNDS = np.array(((255, 255, 255), (0, 0, 0), (40, 90, 200), (230, 60, 60)), np.float32)
# Where the mask alone is further than this from the truth, no look at the edge can know better.
MASK_FAULT = 0.5
PSNR_MAX = 70.0


@dataclasses.dataclass
class Truth:
    """What a cutout is held against; `band` and what is needed of it is found once."""

    colour: np.ndarray
    alpha: np.ndarray

    def __post_init__(self):
        self.band = band_of(self.alpha)


def band_of(alpha):
    """The pixels within 6 pixels of the edge of a true coverage."""
    inside = (alpha > 0.5).astype(np.uint8)
    to_inside = cv2.distanceTransform(1 - inside, cv2.DIST_L1, 3)
    to_outside = cv2.distanceTransform(inside, cv2.DIST_L1, 3)
    return (to_inside <= BAND_PX) & (to_outside <= BAND_PX)


def edge_errors(colour, alpha, truth):
    """For each pixel of the band: the mean absolute difference of cutout and truth over four grounds."""
    mine, true = alpha[truth.band][:, None], truth.alpha[truth.band][:, None]
    above, true_above = colour[truth.band] * mine, truth.colour[truth.band] * true
    return np.mean([np.abs(above + ground * (1 - mine) - true_above - ground * (1 - true)).mean(axis=1) for ground in GROUNDS], axis=0)


def edge_parts(errors, mask, truth):
    """The edge error as (mask part, edge part): that of the pixels where the mask is wrong by more than a half, and the rest."""
    if not len(errors):
        return 0.0, 0.0
    wrong = np.abs(mask[truth.band] - truth.alpha[truth.band]) > MASK_FAULT
    return float(errors[wrong].sum() / len(errors)), float(errors[~wrong].sum() / len(errors))


def psnr(alpha, true):
    """In dB, over the whole picture; at most 70."""
    return min(PSNR_MAX, -10 * float(np.log10(max(1e-9, np.square(alpha - true).mean(dtype=np.float64)))))


def iou(alpha, true):
    """Intersection over union of what is opaque by more than half; 1 if neither has anything."""
    mine, true = alpha > 0.5, true > 0.5
    union = np.count_nonzero(mine | true)
    return np.count_nonzero(mine & true) / union if union else 1.0


def colour_error(colour, alpha, truth):
    """Mean absolute difference of the colours where the truth is half-transparent (2 to 98 %), or None if it is so nowhere.

    A pixel counts as much as it is seen in both: by the lesser of its two alphas.
    """
    part = (truth.alpha > 0.02) & (truth.alpha < 0.98)
    weight = np.minimum(alpha[part], truth.alpha[part])
    if weight.sum() <= 0:
        return None
    error = np.abs(colour[part] - truth.colour[part]).mean(axis=1)
    return float((weight * error).sum() / weight.sum())


def judge(colour, alpha, mask, truth):
    """All figures of one cutout; `mask` is the alpha that it was made of."""
    errors = edge_errors(colour, alpha, truth)
    mask_part, edge_part = edge_parts(errors, mask, truth)
    return {
        "edge": mask_part + edge_part,
        "mask_part": mask_part,
        "edge_part": edge_part,
        "psnr": psnr(alpha, truth.alpha),
        "iou": iou(alpha, truth.alpha),
        "colour": colour_error(colour, alpha, truth),
    }
