"""Compares hotcut's matte with edges off with rembg's on the sample photos: mean absolute difference, in levels of 255.

rembg enlarges its mask from 320 x 320 by Lanczos, which overshoots beside an edge: a ring. A pixel is in a
ring where rembg's value lies outside the values of the mask around it; hotcut makes no rings to compare.
"""

import os
import sys

import numpy as np
from PIL import Image, ImageFilter

import hotcut
import photos

BENCH = hotcut.ROOT / ".bench"
os.environ["U2NET_HOME"] = str(BENCH / "u2net")
ALLOWED = 2.0
MEAN, STD, SIDE = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), (320, 320)


def rings(session, photo, theirs):
    """Where rembg's mask (an array of 0..255) leaves the range of the network's mask around the pixel."""
    mask = session.inner_session.run(None, session.normalize(photo, MEAN, STD, SIDE))[0][0, 0]
    mask = (mask - mask.min()) / (mask.max() - mask.min())
    mask = Image.fromarray((mask.clip(0, 1) * 255).astype(np.uint8))

    def around(extreme):
        return np.asarray(mask.filter(extreme(3)).resize(photo.size, Image.Resampling.NEAREST), np.int16)

    return (theirs < around(ImageFilter.MinFilter)) | (theirs > around(ImageFilter.MaxFilter))


def difference(path, theirs, away):
    """Mean absolute difference of the cutout at `path` to rembg's mask: everywhere, and away from rings."""
    ours = np.asarray(Image.open(path).getchannel("A"), np.int16)
    difference = np.abs(ours - theirs)
    return difference.mean(), difference[away].mean()


def main():
    import rembg

    session = rembg.new_session("u2net")
    hotcut.cut(photos.SAMPLES, BENCH / "out/matte", edges="off")
    worst = 0.0
    print(f"{'photo':20} {'everywhere':>10} {'no rings':>9} {'in rings':>9}")
    for path in photos.SAMPLES:
        photo = Image.open(path).convert("RGB")
        theirs = np.asarray(rembg.remove(photo, session=session, only_mask=True), np.int16)
        ring = rings(session, photo, theirs)
        overall, away = difference(BENCH / "out/matte" / f"{path.stem}.png", theirs, ~ring)
        print(f"{path.name:20} {overall:10.3f} {away:9.3f} {ring.mean():9.1%}")
        worst = max(worst, away)
    if worst > ALLOWED:
        sys.exit(f"the mattes differ by {worst:.2f} levels: more than {ALLOWED}")


if __name__ == "__main__":
    main()
