"""The split, the archives and the composites, on inputs small enough to know the answer."""

import random
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from distill import compose, data, judge, labels, metrics, rcc, sources, split, work


def test_first_hex_digit_decides_the_part():
    parts = {digit: split.part(digit + "0" * 63) for digit in "0123456789abcdef"}
    assert {digit for digit, part in parts.items() if part == "train"} == set("0123456789")
    assert {digit for digit, part in parts.items() if part == "eval"} == set("ab")
    assert {digit for digit, part in parts.items() if part == "reserved"} == set("cdef")


def test_name_is_the_digest_of_the_bytes_as_published():
    assert split.name(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_reserved_part_is_not_to_be_had(tmp_path):
    (tmp_path / "manifest.jsonl").write_text('{"sha256": "c0", "part": "reserved"}\n{"sha256": "a0", "part": "eval"}\n')
    with pytest.raises(ValueError):
        work.manifest(tmp_path, "reserved")
    assert [line["sha256"] for line in work.manifest(tmp_path, "eval")] == ["a0"]


def archive() -> bytes:
    """Version 1, `a/b.png` stored as it is and `c.txt` compressed."""
    names, offsets = b"", {}
    for text in ("a", "b.png", "c.txt"):
        offsets[text] = len(names)
        names += struct.pack(">HI", len(text), 0) + text.encode("utf-16-be")
    packed = struct.pack(">I", 5) + zlib.compress(b"hello")
    contents = struct.pack(">I", 3) + b"\x89PN" + struct.pack(">I", len(packed)) + packed
    nodes = struct.pack(">IHII", 0, 2, 2, 1)
    nodes += struct.pack(">IHII", offsets["a"], 2, 1, 3)
    nodes += struct.pack(">IHHHI", offsets["c.txt"], 1, 0, 0, 7)
    nodes += struct.pack(">IHHHI", offsets["b.png"], 0, 0, 0, 0)
    head = 20
    tree, blob = head, head + len(nodes)
    return b"qres" + struct.pack(">4I", 1, tree, blob, blob + len(contents)) + nodes + contents + names


def test_archive_gives_its_files():
    assert dict(rcc.files(archive())) == {"a/b.png": b"\x89PN", "c.txt": b"hello"}
    with pytest.raises(rcc.RccError):
        list(rcc.files(b"PK\x03\x04" + bytes(20)))


def test_first_rule_that_fits_decides_the_kind():
    assert sources.kind("tuxpaint-stamps-default", "x/cartoon/a.png") is None
    assert sources.kind("tuxpaint-stamps-default", "x/animals/a.png") == "cutout"
    assert sources.kind("endless-sky-data", "usr/images/land/a.jpg") == "scene"
    assert sources.kind("endless-sky-data", "usr/images/ui/a.png") is None
    assert sources.kind("unknown", "a.png") is None


def test_blend_is_straight_alpha():
    front = np.array([[[200, 100, 50, 255], [200, 100, 50, 0], [200, 100, 50, 51]]], np.uint8)
    back = np.array([[[0, 0, 100], [1, 2, 3], [100, 100, 100]]], np.uint8)
    mixed, alpha = compose.blend(front, back)
    assert mixed.tolist() == [[[200, 100, 50], [1, 2, 3], [120, 100, 90]]]
    assert alpha.tolist() == [[255, 0, 51]]


def test_composite_is_the_same_for_the_same_seed_and_holds_its_cutout():
    cutout = Image.new("RGBA", (40, 40), (255, 0, 0, 255))
    background = Image.new("RGB", (64, 64), (0, 0, 255))
    picture, truth = compose.composite([cutout], background, 64, "seed 1")
    again, _ = compose.composite([cutout], background, 64, "seed 1")
    assert np.array_equal(picture, again)
    assert 0.1 < (truth > 127).mean() < 0.95
    inside, outside = picture[truth == 255].mean(0), picture[truth == 0].mean(0)
    assert inside[0] > 2 * inside[2] and outside[2] > 2 * outside[0]


def test_composites_stay_within_their_part():
    entries = [{"sha256": f"{kind}{n}", "kind": kind} for kind in ("cutout", "scene", "photo") for n in range(5)]
    for line in labels.plan(entries, composites=50, crops=1, seed=3):
        assert set(line["of"]) <= {entry["sha256"] for entry in entries}
        if line["kind"] == "composite":
            assert line["of"][-1].startswith("scene") and line["of"][0].startswith("cutout")


def test_crop_lies_within_the_picture():
    image = Image.new("RGB", (200, 100))
    for seed in range(50):
        crop = compose.random_crop(image, 0.45, random.Random(seed))
        assert crop.width <= 200 and crop.height <= 100 and crop.width * crop.height >= 0.4 * 20000


def test_picture_is_divided_by_its_own_maximum():
    picture = np.zeros((1, 2, 3), np.uint8)
    picture[0, 0] = [51, 102, 0]
    values = judge.normalise(picture)
    assert values.shape == (1, 3, 1, 2)
    assert values[0, :, 0, 0] == pytest.approx([(0.5 - 0.485) / 0.229, (1 - 0.456) / 0.224, -0.406 / 0.225])


def test_metrics_by_hand():
    a, b = np.array([[1.0, 1.0, 0.0, 0.0]]), np.array([[1.0, 0.0, 1.0, 0.0]])
    assert metrics.iou(a, b) == pytest.approx(1 / 3)
    assert metrics.iou(a * 0, b * 0) == 1
    assert metrics.psnr(a, b) == pytest.approx(10 * np.log10(2))
    assert metrics.psnr(a, a) == 60
    assert metrics.stretch(np.array([0.2, 0.6])).tolist() == [0, 1]


def test_fingerprint_does_not_depend_on_the_order():
    entries = [{"sha256": "b", "kind": "photo"}, {"sha256": "a", "kind": "scene"}]
    assert data.fingerprint(entries) == data.fingerprint(entries[::-1])
    assert data.fingerprint(entries) != data.fingerprint(entries[:1])
