"""Which Debian packages hold pictures, and what kind of picture lies where in them.

The kinds: `photo`; `scene`, a photo without one dominant object, which also serves as a background;
`cutout`, an object with true alpha; `drawing`. The first rule whose pattern is found in `PACKAGE/PATH`
decides; `None` leaves the file out.
"""

import re

PACKAGES = (
    "endless-sky-data",
    "gcompris-qt-data",
    "gnome-backgrounds",
    "gnome-control-center-data",
    "golang-github-rwcarlsen-goexif-dev",
    "kphotoalbum",
    "libelementary-data",
    "libjxl-testdata",
    "lomiri-wallpapers-16.04",
    "lomiri-wallpapers-20.04",
    "mate-backgrounds",
    "opencv-doc",
    "openclipart-png",
    "plasma-workspace-wallpapers",
    "psychtoolbox-3-common",
    "pysiogame",
    "scratch",
    "sway-backgrounds",
    "tuxpaint-stamps-default",
    "ukui-wallpapers",
)

RULES = tuple(
    (re.compile(pattern), kind)
    for pattern, kind in (
        (r"^tuxpaint-stamps-default/.*cartoon", None),
        (r"^tuxpaint-stamps-default/.*_(mirror|flip)\.", None),
        (r"^tuxpaint-stamps-default/.*/symbols/(alphabets|math)", None),
        (r"^tuxpaint-stamps-default/", "cutout"),
        (r"^openclipart-png/", "drawing"),
        (r"^endless-sky-data/.*/land/", "scene"),
        (r"^endless-sky-data/", None),
        (r"^gcompris-qt-data/.*(paintings|lang|erase|clickgame|details|leftright|hangman)", "drawing"),
        (r"^gcompris-qt-data/.*(babyshapes|chronos|digital|gravity|solar_system|menu)", "drawing"),
        (r"^gcompris-qt-data/.*(monuments)", "scene"),
        (r"^gcompris-qt-data/", "photo"),
        (r"^pysiogame/.*/(art4apps|fc)/", "drawing"),
        (r"^pysiogame/", None),
        (r"^opencv-doc/.*/examples/data/", "photo"),
        (r"^opencv-doc/", None),
        (r"^gnome-control-center-data/.*/faces/", "photo"),
        (r"^golang-github-rwcarlsen-goexif-dev/", "photo"),
        (r"^kphotoalbum/.*/demo/", "photo"),
        (r"^libelementary-data/.*/images/", "photo"),
        (r"^libjxl-testdata/", "photo"),
        (r"^psychtoolbox-3-common/.*\.jpe?g$", "photo"),
        (r"^scratch/.*/Backgrounds/", "scene"),
        (r"^scratch/.*\.jpe?g$", "photo"),
        (r"^(mate|sway|gnome)-backgrounds/.*(abstract|simple|-[ld]\.(svg|webp)$)", "drawing"),
        (r"^(mate-backgrounds|ukui-wallpapers|lomiri-wallpapers|gnome-backgrounds)", "scene"),
        (r"^plasma-workspace-wallpapers/.*/images/(1920x1080|2560x1440|3840x2160)\.", "scene"),
    )
)  # fmt: skip


def kind(package: str, path: str) -> str | None:
    """The kind of the file at `path` in `package`, or None if it is not wanted."""
    for pattern, found in RULES:
        if pattern.search(f"{package}/{path}"):
            return found
    return None
