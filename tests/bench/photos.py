"""Makes the photos of the comparison from the sample photos: real subjects, any size, a camera's noise."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

SAMPLES = sorted((Path(__file__).resolve().parents[2] / "src/command/demo").glob("*.jpg"))
# Standard deviation, in levels of 255: that of a clean exposure at ISO 400 or so.
NOISE = 2.5


def picture(index, size, noise):
    """A picture of `size` (width, height) from a sample: each another framing, so that no two are alike."""
    sample = Image.open(SAMPLES[index % len(SAMPLES)]).convert("RGB")
    left, top = noise.uniform(0.3, 0.7, 2)
    framed = ImageOps.fit(sample, size, Image.Resampling.BICUBIC, 0.0, (left, top))
    pixels = np.asarray(framed, np.float32)
    pixels = pixels + noise.standard_normal(pixels.shape, np.float32) * NOISE
    return Image.fromarray(pixels.round().clip(0, 255).astype(np.uint8))


def make(folder, count, size, seed=0):
    """Writes `count` different JPEGs of `size` (width, height) into `folder`; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed)
    paths = []
    for index in range(count):
        path = folder / f"{index:04}.jpg"
        picture(index, size, noise).save(path, quality=92)
        paths.append(path)
    return paths
