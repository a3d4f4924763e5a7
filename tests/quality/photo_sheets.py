"""Converts forty real photos of the evaluation part to sheets of crops at 100 % over four grounds (.quality/photos-N.png), for eyes.

There is no truth to hold them against. Shown are those whose mask has most pixels that are clearly in or out, among photos with one
clear subject, and of each the square with the most edge in it.
"""

import sys

import numpy as np
from PIL import Image, ImageDraw

import metrics
import pictures
import programs
import scores
import sheet

COUNT, A_SHEET, SIDE = 40, 10, 200
# Charts, drawings and logos among what the packages call photos, by the beginning of their names.
NOT_PHOTOS = ("b16d7d76", "b4f049a6", "a0f19be8", "ade5b673", "bc3330e7", "af4e8c08", "abfc2067")
SHARE_MIN, SHARE_MAX, PIXELS_MIN = 0.02, 0.8, 40_000


def clearness(path):
    """How much of the subject is certain in its mask, 0..1; 0 where it fills the picture, or next to none of it."""
    _, alpha = scores.load(path)
    if not SHARE_MIN < (alpha > 0.5).mean() < SHARE_MAX or alpha.size < PIXELS_MIN:
        return 0.0
    seen = alpha > 0.05
    return float((alpha[seen] > 0.95).sum() / seen.sum())


def cut(photos, way):
    """Name -> cutout of each photo in which a subject was found."""
    row = f"photos {way}"
    options = ["--edges", way] if programs.has_edges() else []
    programs.hotcut_row(photos, programs.emptied(row), options)
    return {photo.stem: programs.folder_of(row) / f"{photo.stem}.png" for photo in photos}


def as_jpegs(paths):
    """Copies under names that hotcut takes: the pictures of the evaluation part have none."""
    folder = pictures.WORK / "photos"
    folder.mkdir(exist_ok=True)
    copies = []
    for path in paths:
        copy = folder / f"{path.name[:12]}.jpg"
        if not copy.is_file():
            Image.open(path).convert("RGB").save(copy, quality=95, subsampling=0)
        copies.append(copy)
    return copies


def block(photo, cutouts):
    """A photo, a crop of it, and below one another the same crop of each way over the four grounds."""
    first = scores.load(next(iter(cutouts.values())))
    side = min(SIDE, *first[1].shape)
    left, top = sheet.busiest(first[1], side)
    window = np.s_[top : top + side, left : left + side]
    canvas = Image.new("RGB", (SIDE * 6, (SIDE + sheet.LABEL_PX) * len(cutouts)), "white")
    picture = Image.open(photo).convert("RGB")
    crop = picture.crop((left, top, left + side, top + side))
    picture.thumbnail((SIDE, SIDE))
    for row, (way, path) in enumerate(cutouts.items()):
        colour, alpha = scores.load(path)
        y = row * (SIDE + sheet.LABEL_PX)
        ImageDraw.Draw(canvas).text((2, y + 1), f"{photo.stem} {way}", "black")
        canvas.paste(picture, (0, y + sheet.LABEL_PX))
        canvas.paste(crop, (SIDE, y + sheet.LABEL_PX))
        for number, ground in enumerate(metrics.GROUNDS, 2):
            canvas.paste(sheet.on_ground(colour[window], alpha[window], ground), (SIDE * number, y + sheet.LABEL_PX))
    return canvas


def main():
    if not programs.PROGRAM.is_file():
        sys.exit(f"{programs.PROGRAM} is not built: run make build")
    photos = as_jpegs(path for path in pictures.fetch()["photo"] if not path.name.startswith(NOT_PHOTOS))
    ways = ("off", "auto") if programs.has_edges() else ("off",)
    cutouts = {way: cut(photos, way) for way in ways}
    ranked = sorted(photos, key=lambda photo: -clearness(cutouts["off"][photo.stem]))[:COUNT]
    for number in range(0, len(ranked), A_SHEET):
        blocks = [block(photo, {way: cutouts[way][photo.stem] for way in ways}) for photo in ranked[number : number + A_SHEET]]
        whole = Image.new("RGB", (blocks[0].width, sum(one.height for one in blocks)))
        for row, one in enumerate(blocks):
            whole.paste(one, (0, row * one.height))
        target = pictures.WORK / f"photos-{number // A_SHEET + 1}.png"
        whole.save(target)
        print(f"written: {target}")


if __name__ == "__main__":
    main()
