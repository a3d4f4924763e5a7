"""What was dropped and what lies in the output folder -> what was lost, doubled, spoiled, outdated or deleted.

Each photo has a size of its own, so that the size of a cutout tells which photo it is of, whatever its name.
"""

import dataclasses
from pathlib import Path

import numpy as np
from PIL import Image

Image.MAX_IMAGE_PIXELS = None
# A cutout keeps the colours of what is wholly opaque; decoders of JPEG differ by a few levels, grey filling by more.
LEVELS, SHARE = 48, 0.02
FAULTS = ("lost", "duplicated", "corrupt", "outdated", "deleted", "stuck")


@dataclasses.dataclass
class Photo:
    """A photo that was dropped: `name` below the hot folder, and the whole picture at `original`."""

    scenario: str
    name: str
    size: tuple
    original: Path
    # It must give a cutout: not so a damaged one, and not so a version that was replaced.
    is_wanted: bool = True
    is_damaged: bool = False
    # It was dropped to see whether the program still serves; counted under "stuck" and not under "lost".
    is_probe: bool = False


def cutouts(output):
    """The files under final names; hidden ones are a program's temporaries."""
    return sorted(path for path in output.rglob("*.png") if not path.name.startswith("."))


def size_of(path):
    """The size that the file's header states, or None."""
    try:
        with Image.open(path) as picture:
            return picture.size
    except (OSError, SyntaxError):
        return None


def sizes(output):
    return {size_of(path) for path in cutouts(output)}


def is_spoiled(path, photo):
    """Whether the file is cut short, or shows something else than the whole photo."""
    try:
        with Image.open(path) as picture:
            cutout = np.asarray(picture.convert("RGBA"), np.int16)
    except (OSError, SyntaxError):
        return True
    with Image.open(photo.original) as picture:
        truth = np.asarray(picture.convert("RGB"), np.int16)
    opaque = cutout[..., 3] == 255
    differs = np.abs(cutout[..., :3] - truth).max(axis=2) > LEVELS
    return bool(differs[opaque].sum() > SHARE * max(1, opaque.sum()))


def spoiled(output, photos):
    """Names of cutouts that are cut short or of a damaged photo, with the scenario they belong to."""
    by_size = {photo.size: photo for photo in photos}
    found = []
    for path in cutouts(output):
        photo = by_size.get(size_of(path))
        if photo is None:
            found.append(("", str(path.relative_to(output))))
        elif photo.is_damaged or is_spoiled(path, photo):
            found.append((photo.scenario, str(path.relative_to(output))))
    return found


def judge(rival, photos):
    """The faults as (kind, scenario, name); `rival` has gone quiet."""
    corrupt = spoiled(rival.output, photos)
    faults = [("corrupt", scenario, name) for scenario, name in corrupt]
    bad = {rival.output / name for _, name in corrupt}
    half = {size_of(path) for path in bad}
    whole = [size_of(path) for path in cutouts(rival.output) if path not in bad]
    replaced = [photo for photo in photos if not photo.is_wanted and not photo.is_damaged]
    outdated = {photo.name for photo in replaced if photo.size in whole}
    for photo in photos:
        count = whole.count(photo.size)
        if count > 1:
            faults.append(("duplicated", photo.scenario, photo.name))
        if photo in replaced:
            # That its original is gone is our doing.
            continue
        if not count and not (rival.input / photo.name).exists():
            faults.append(("deleted", photo.scenario, photo.name))
        # What is spoiled or outdated counts as that alone, and a probe as "stuck".
        is_told = photo.name in outdated or photo.size in half or photo.is_probe
        if photo.is_wanted and not count and not is_told:
            faults.append(("lost", photo.scenario, photo.name))
    faults += [("outdated", photo.scenario, photo.name) for photo in replaced if photo.name in outdated]
    return faults
