"""A cutout + a background -> a picture whose true alpha is known."""

import io
import random

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

OPEN_SIDE_MAX = 1280


def open_picture(encoded: bytes, mode: str = "RGB") -> Image.Image:
    """Decodes, at a size that is enough for a view; transparency is laid on mid-grey unless asked for."""
    image = Image.open(io.BytesIO(encoded))
    image.draft("RGB", (OPEN_SIDE_MAX, OPEN_SIDE_MAX))
    image = image.convert("RGBA" if mode == "RGBA" or "A" in image.mode or "transparency" in image.info else "RGB")
    image.thumbnail((OPEN_SIDE_MAX, OPEN_SIDE_MAX), Image.Resampling.BOX)
    if mode == "RGB" and image.mode == "RGBA":
        ground = Image.new("RGBA", image.size, (200, 200, 200, 255))
        image = Image.alpha_composite(ground, image).convert("RGB")
    return image


def random_crop(image: Image.Image, area_min: float, dice: random.Random) -> Image.Image:
    """A part of the picture of at least `area_min` of its area, near its own shape."""
    share = dice.uniform(area_min, 1) ** 0.5
    stretch = dice.uniform(0.85, 1.18)
    width = min(image.width, round(image.width * share * stretch))
    height = min(image.height, round(image.height * share / stretch))
    left, top = dice.randint(0, image.width - width), dice.randint(0, image.height - height)
    return image.crop((left, top, left + width, top + height))


def place(cutout: Image.Image, side: int, dice: random.Random) -> Image.Image:
    """The cutout turned, mirrored and scaled at random, somewhere in a transparent square."""
    cutout = cutout.crop(cutout.getchannel("A").point(lambda a: 255 * (a > 8)).getbbox())
    if dice.random() < 0.5:
        cutout = cutout.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    cutout = cutout.rotate(dice.gauss(0, 8), Image.Resampling.BICUBIC, expand=True)
    longest = dice.uniform(0.4, 0.95) * side
    scale = longest / max(cutout.size)
    size = (max(8, round(cutout.width * scale)), max(8, round(cutout.height * scale)))
    cutout = cutout.resize(size, Image.Resampling.LANCZOS)
    over = 0.25 if dice.random() < 0.15 else 0.0

    def offset(length: int) -> int:
        slack = round(length * over)
        return dice.randint(-slack, max(-slack, side - length + slack))

    square = Image.new("RGBA", (side, side))
    square.paste(cutout, (offset(size[0]), offset(size[1])))
    return square


def blend(front: np.ndarray, back: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Straight RGBA over RGB, as H x W x 4 and H x W x 3 of 8 bits -> the picture and its alpha."""
    alpha = front[..., 3:].astype(np.float32) / 255
    mixed = alpha * front[..., :3] + (1 - alpha) * back
    return np.rint(mixed).astype(np.uint8), front[..., 3]


def weather(image: Image.Image, dice: random.Random) -> Image.Image:
    """What makes a composite look less like one: one light for all of it, grain, blur, compression."""
    image = ImageEnhance.Brightness(image).enhance(dice.uniform(0.8, 1.2))
    image = ImageEnhance.Color(image).enhance(dice.uniform(0.7, 1.2))
    if dice.random() < 0.3:
        image = image.filter(ImageFilter.GaussianBlur(dice.uniform(0.2, 0.8)))
    if dice.random() < 0.5:
        grain = np.random.default_rng(dice.getrandbits(32)).normal(0, dice.uniform(1, 6), (*image.size[::-1], 3))
        image = Image.fromarray((np.asarray(image) + grain).clip(0, 255).astype(np.uint8))
    if dice.random() < 0.7:
        stored = io.BytesIO()
        image.save(stored, "JPEG", quality=dice.randint(60, 95))
        image = Image.open(stored).convert("RGB")
    return image


def composite(cutouts: list[Image.Image], background: Image.Image, side: int, seed: str) -> tuple[np.ndarray, np.ndarray]:
    """A side x side picture, and its true alpha, both 8 bits. The same seed makes the same picture."""
    dice = random.Random(seed)
    picture = random_crop(background, 0.3, dice).resize((side, side), Image.Resampling.LANCZOS)
    picture, truth = np.asarray(picture), np.zeros((side, side), np.float32)
    for cutout in cutouts:
        picture, alpha = blend(np.asarray(place(cutout, side, dice)), picture)
        truth = truth + (1 - truth) * (alpha / 255)
    picture = weather(Image.fromarray(picture), dice)
    return np.asarray(picture), np.rint(255 * truth).astype(np.uint8)
