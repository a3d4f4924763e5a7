"""The pools of views that `labels` makes: arrays on disk that grow, and an index of what they hold."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from . import metrics

SIDE = 320
ARRAYS = {"picture": (SIDE, SIDE, 3), "teacher": (SIDE, SIDE), "mirrored": (SIDE, SIDE), "truth": (SIDE, SIDE)}


@dataclass
class Pool:
    """Views by number. `picture` is 8-bit RGB; the maps are opacities, 0..255.

    `mirrored` is the teacher's answer to the mirrored picture, mirrored back (only for photos of the
    evaluation part); `truth` the true alpha (only for composites).
    """

    index: list[dict]
    picture: np.ndarray
    teacher: np.ndarray
    mirrored: np.ndarray
    truth: np.ndarray

    def numbers(self, *kinds: str) -> list[int]:
        return [number for number, line in enumerate(self.index) if line["kind"] in kinds]

    def is_clear(self, number: int) -> bool:
        """Of an evaluation photo: whether the teacher agrees with itself."""
        return metrics.is_clear(self.teacher[number] / 255, self.mirrored[number] / 255)

    def shrunk(self, number: int, side: int) -> np.ndarray:
        """A view's picture at the size of a network, resampled as hotcut does."""
        picture = Image.fromarray(np.asarray(self.picture[number]))
        return np.asarray(picture.resize((side, side), Image.Resampling.LANCZOS))


def load(work: Path, part: str) -> Pool:
    """The views that are complete so far."""
    folder = work / "views" / part
    index = folder / "index.jsonl"
    if not index.is_file():
        raise SystemExit(f"{index} is missing: run `make labels` first")
    arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in ARRAYS}
    return Pool(complete_lines(index), **arrays)


def complete_lines(index: Path) -> list[dict]:
    """Without a last line that is being written, or that an interrupted run left unfinished."""
    whole, _, _ = index.read_text().rpartition("\n")
    return [json.loads(line) for line in whole.splitlines()]


CAPACITY = 8192


class Writer:
    """Appends views to a pool, whose files are sparse; goes on where an earlier run ended."""

    def __init__(self, work: Path, part: str):
        self.folder = work / "views" / part
        self.folder.mkdir(parents=True, exist_ok=True)
        self.arrays = {name: self.open(name, (CAPACITY, *shape)) for name, shape in ARRAYS.items()}
        self.index = self.folder / "index.jsonl"
        self.index.touch()
        lines = complete_lines(self.index)
        with self.index.open("r+b") as index:
            index.truncate(index.read().rfind(b"\n") + 1)
        self.known = {line["view"] for line in lines}

    def open(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        path = self.folder / f"{name}.npy"
        if path.is_file():
            return np.load(path, mmap_mode="r+")
        return np.lib.format.open_memmap(path, "w+", np.uint8, shape)

    def append(self, line: dict, **maps: np.ndarray) -> None:
        number = len(self.known)
        if number == CAPACITY:
            raise SystemExit(f"{self.folder} is full with {CAPACITY} views: ask for fewer crops or composites")
        for name, values in maps.items():
            self.arrays[name][number] = values
        with self.index.open("a") as index:
            index.write(json.dumps(line) + "\n")
        self.known.add(line["view"])
