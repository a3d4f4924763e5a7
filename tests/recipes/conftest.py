"""Nothing -> a running hotcut with one hot folder, for recipes that put photos into it. Knows no recipe."""

import pathlib
import sqlite3
import sys

import pytest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "page"))

from hotcut import Hotcut, sample  # noqa: E402

NAMES = ["astronaut.jpg", "cat.jpg", "coffee.jpg", "raccoon.jpg"]


@pytest.fixture
def studio(tmp_path):
    hotcut = Hotcut(tmp_path)
    yield hotcut.start()
    hotcut.stop()


@pytest.fixture
def photos(tmp_path):
    """A folder with sample photos, one of them in a subfolder."""
    folder = tmp_path / "photos"
    (folder / "shoot").mkdir(parents=True)
    for name in NAMES:
        (folder / ("shoot" if name == "cat.jpg" else "") / name).write_bytes(sample(name))
    return folder


@pytest.fixture
def assert_all_cut(studio, photos):
    """Waits for a whole cutout of each photo, and looks that nothing else came of it."""

    def look():
        originals = sorted(path.relative_to(photos) for path in photos.rglob("*.jpg"))
        studio.wait_for("done", len(originals))
        cutouts = sorted(path.relative_to(studio.out()) for path in studio.out().rglob("*.png"))
        assert cutouts == [path.with_suffix(".png") for path in originals]
        for path in originals:
            assert (studio.hot() / path).read_bytes() == (photos / path).read_bytes()
        log = (studio.place / "log").read_text()
        assert log.count("cut out") == len(originals), log
        assert not studio.photos("quarantined")
        # A photo that was taken too early is tried again, and nobody would see it.
        with sqlite3.connect(studio.place / "state/ledger.db") as ledger:
            assert ledger.execute("SELECT reason FROM failures").fetchall() == []
        ledger.close()

    return look
