"""Converts random numbers and photos to backgrounds: plain studio grounds with or without a shadow, and photos in or out of focus."""

import colorsys

import cv2
import numpy as np
from PIL import Image


def tone(dice):
    """A colour as studios paint or light their grounds: white, grey or coloured."""
    kind = dice.choice(["white", "white", "grey", "coloured"])
    if kind == "coloured":
        return np.array(colorsys.hsv_to_rgb(dice.random(), dice.uniform(0.25, 0.8), dice.uniform(0.35, 0.95)), np.float32) * 255
    level = dice.uniform(238, 255) if kind == "white" else dice.uniform(70, 215)
    return np.array([level + dice.uniform(-3, 3) for _ in range(3)], np.float32)


def plain(size, dice):
    """One colour or a gradient of two, and light that falls off towards the corners."""
    width, height = size
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = x / width - 0.5, y / height - 0.5
    near = tone(dice)
    ground = np.broadcast_to(near, (height, width, 3))
    if dice.random() < 0.4:
        far = tone(dice) if dice.random() < 0.4 else near * dice.uniform(0.55, 0.85)
        way = y + 0.5 if dice.random() < 0.6 else 1.4 * np.hypot(x, y)
        way = ((way - 0.15) / 0.7).clip(0, 1)
        ground = near + (way * way * (3 - 2 * way))[..., None] * (far - near)
    fall = 1 - dice.uniform(0, 0.1) * (x * x + y * y) * 2
    return (ground * fall[..., None]).clip(0, 255).astype(np.float32)


def shadow(ground, alpha, dice):
    """A soft shadow on the floor, and a narrow one where the subject stands."""
    height, width = alpha.shape
    rows = np.nonzero((alpha > 0.5).any(axis=1))[0]
    base, flat, lean = float(rows.max()), dice.uniform(0.1, 0.3), dice.uniform(-0.5, 0.5)
    # From a point of the shadow to the point of the subject that throws it.
    matrix = np.array([[1, lean, -lean * base], [0, flat, base * (1 - flat)]], np.float32)
    cast = cv2.warpAffine(alpha, matrix, (width, height), flags=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(cast, (0, 0), dice.uniform(0.008, 0.025) * max(width, height))
    contact = alpha.copy()
    contact[: max(0, round(base - 0.04 * height))] = 0
    contact = cv2.GaussianBlur(contact, (0, 0), 0.005 * max(width, height))
    dark = 1 - (dice.uniform(0.25, 0.6) * soft + 0.35 * contact).clip(0, 0.85)
    return ground * dark[..., None]


def photo(path, size, dice):
    """A part of a photo that fills the picture, in focus."""
    image = Image.open(path).convert("RGB")
    scale = max(size[0] / image.width, size[1] / image.height) * dice.uniform(1, 1.4)
    part = min(image.width, size[0] / scale), min(image.height, size[1] / scale)
    left, top = (image.width - part[0]) * dice.random(), (image.height - part[1]) * dice.random()
    box = (left, top, left + part[0], top + part[1])
    return np.asarray(image.resize(size, Image.Resampling.BICUBIC, box), np.float32)


def bokeh(path, size, dice):
    """A photo out of focus: every point a disc, of 0.8 to 3 % of the long side in radius."""
    small = size[0] // max(1, max(size) // 800), size[1] // max(1, max(size) // 800)
    picture = photo(path, small, dice)
    radius = max(2, round(dice.uniform(0.008, 0.03) * max(small)))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)).astype(np.float32)
    picture = cv2.filter2D(picture, -1, disc / disc.sum(), borderType=cv2.BORDER_REFLECT)
    return cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC).clip(0, 255)
