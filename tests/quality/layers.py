"""Converts cutouts and drawn strokes to layers: a straight colour (0..255) and a coverage (0..1) for every pixel.

Strokes are drawn without smoothing at 8 times the size (4 times from 3 megapixels on) and averaged: the coverage is exact to
1/64 (1/16), and the colour of a pixel is the mean of what covers it.
"""

import cv2
import numpy as np
from PIL import Image

BAND_ROWS = 96
# An upscaled cutout gets an outline this wide, in pixels, as a photo that is in focus has.
RAMP_PX = 1.5
SHIFT = 4


def over(front, back):
    """One layer over another."""
    (colour, alpha), (below, covered) = front, back
    total = alpha + (1 - alpha) * covered
    weight = np.where(total > 0, alpha / np.maximum(total, 1e-6), 0)[..., None]
    return below + weight * (colour - below), total


def premultiplied(layer):
    colour, alpha = layer
    return colour * alpha[..., None], alpha


def straight(colour, alpha):
    return np.clip(colour / np.maximum(alpha, 1e-4)[..., None], 0, 255), alpha


def open_cutout(path):
    """A file as premultiplied colour and coverage, cut to what is opaque."""
    image = Image.open(path).convert("RGBA")
    image = image.crop(image.getchannel("A").point(lambda a: 255 * (a > 8)).getbbox())
    pixels = np.asarray(image, np.float32)
    alpha = pixels[..., 3] / 255
    return pixels[..., :3] * alpha[..., None], alpha


def place(path, size, share, bottom, dice):
    """The cutout of a file on an empty canvas: `share` of what fits, `bottom` (of the height) left free below it, or centred."""
    colour, alpha = open_cutout(path)
    if dice.random() < 0.5:
        colour, alpha = colour[:, ::-1], alpha[:, ::-1]
    width, height = size
    scale = share * min(width / alpha.shape[1], height / alpha.shape[0])
    inner = max(8, round(alpha.shape[1] * scale)), max(8, round(alpha.shape[0] * scale))
    how = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    colour = cv2.resize(np.ascontiguousarray(colour), inner, interpolation=how).clip(0, 255)
    alpha = cv2.resize(np.ascontiguousarray(alpha), inner, interpolation=how).clip(0, 1)
    colour, _ = straight(colour, alpha)
    alpha = ((alpha - 0.5) * max(1, scale / RAMP_PX) + 0.5).clip(0, 1)
    free = width - inner[0], height - inner[1]
    left = round(free[0] * dice.uniform(0.3, 0.7))
    top = round(free[1] * dice.uniform(0.3, 0.7)) if bottom is None else max(0, free[1] - round(height * bottom))
    canvas = np.zeros((height, width, 3), np.float32), np.zeros((height, width), np.float32)
    inside = np.s_[top : top + inner[1], left : left + inner[0]]
    canvas[0][inside], canvas[1][inside] = colour, alpha
    return canvas


def blur(layer, sigma):
    """The layer out of focus."""
    colour, alpha = (cv2.GaussianBlur(plane, (0, 0), sigma) for plane in premultiplied(layer))
    return straight(colour, alpha)


def draw(strokes, size):
    """Strokes as (points in pixels, widths in pixels, colour), later ones over earlier ones."""
    width, height = size
    times = 8 if width * height < 3e6 else 4
    colour, alpha = np.zeros((height, width, 3), np.float32), np.zeros((height, width), np.float32)
    reach = [(points[:, 1].min() - max(widths), points[:, 1].max() + max(widths)) for points, widths, _ in strokes]
    for top in range(0, height, BAND_ROWS):
        rows = min(BAND_ROWS, height - top)
        touching = [stroke for stroke, (low, high) in zip(strokes, reach) if high >= top and low < top + rows]
        if not touching:
            continue
        large = np.zeros((rows * times, width * times, 4), np.uint8)
        for stroke in touching:
            draw_one(large, stroke, top, times)
        small = cv2.resize(large.astype(np.float32), (width, rows), interpolation=cv2.INTER_AREA)
        band = np.s_[top : top + rows]
        colour[band], alpha[band] = straight(small[..., :3], small[..., 3] / 255)
    return colour, alpha


def draw_one(large, stroke, top, times):
    points, widths, colour = stroke
    points = np.rint((points - (0, top)) * times * (1 << SHIFT)).astype(int)
    paint = (*(int(value) for value in colour), 255)
    for begin, end, width in zip(points[:-1], points[1:], widths[:-1]):
        cv2.line(large, begin.tolist(), end.tolist(), paint, max(1, round(width * times)), cv2.LINE_8, SHIFT)
