"""What is composed of what, what may not be, and what an interrupted run leaves."""

import json

import numpy as np
import pytest

from distill import data, labels, sources, views, work


def entries(part: str) -> list[dict]:
    kinds = ("cutout", "figure", "scene", "photo", "drawing")
    return [
        {"sha256": f"{part}-{kind}-{n}".ljust(64, "0"), "kind": kind, "part": part}
        for kind in kinds
        for n in range(6)
    ]


def line(view: str, kind: str, name: str) -> dict:
    return {"view": view, "kind": kind, "of": [name]}


def small_pool(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(views, "SIDE", 4)
    monkeypatch.setattr(views, "CAPACITY", 4)
    shapes = {"picture": (4, 4, 3), "teacher": (4, 4), "mirrored": (4, 4), "truth": (4, 4)}
    monkeypatch.setattr(views, "ARRAYS", shapes)


def test_a_composite_never_mixes_parts(tmp_path):
    both = entries("train") + entries("eval")
    (tmp_path / "manifest.jsonl").write_text("".join(json.dumps(e) + "\n" for e in both))
    for part in ("train", "eval"):
        lines = list(labels.plan(work.manifest(tmp_path, part), composites=60, crops=2, seed=1))
        assert sum(found["kind"] == "composite" for found in lines) == 60
        assert all(name.startswith(part) for found in lines for name in found["of"])


def test_half_of_the_objects_are_figures_and_the_plan_is_repeatable():
    first, again = (list(labels.plan(entries("train"), 400, 0, 1)) for _ in range(2))
    assert first == again
    composites = [found for found in first if found["kind"] == "composite"]
    figures = sum("figure" in found["of"][0] for found in composites)
    assert 150 < figures < 250
    assert all("scene" in found["of"][-1] for found in composites)


def test_order_is_wholes_composites_drawings_crops():
    order = [
        "crop" if "-crop-" in found["view"] else found["kind"]
        for found in labels.plan(entries("train"), 3, 1, 1)
    ]
    runs = [kind for n, kind in enumerate(order) if n == 0 or order[n - 1] != kind]
    assert runs == ["photo", "scene", "composite", "drawing", "crop"]


@pytest.mark.parametrize("part", ["train", "eval"])
def test_busy_scenes_are_no_backgrounds_and_figures_are_for_training(tmp_path, monkeypatch, part):
    small_pool(tmp_path, monkeypatch)
    everything = entries(part)
    busy, calm = [e["sha256"] for e in everything if e["kind"] == "scene"][:2]
    writer = views.Writer(tmp_path, part)
    writer.append(line("a-whole", "scene", busy), teacher=np.full((4, 4), 39, np.uint8))
    writer.append(line("b-whole", "scene", calm), teacher=np.full((4, 4), 38, np.uint8))
    usable = labels.composable(part, everything, tmp_path)
    names = {e["sha256"] for e in usable}
    assert busy not in names and calm in names
    assert any(e["kind"] == "figure" for e in usable) == (part == "train")


def test_a_pool_goes_on_after_a_line_was_cut_off(tmp_path, monkeypatch):
    small_pool(tmp_path, monkeypatch)
    writer = views.Writer(tmp_path, "train")
    writer.append(line("a", "photo", "1"), teacher=np.full((4, 4), 7, np.uint8))
    with writer.index.open("a") as index:
        index.write('{"view": "b", "ki')
    assert [found["view"] for found in views.load(tmp_path, "train").index] == ["a"]
    writer = views.Writer(tmp_path, "train")
    writer.append(line("b", "photo", "2"), teacher=np.full((4, 4), 9, np.uint8))
    pool = views.load(tmp_path, "train")
    assert [found["view"] for found in pool.index] == ["a", "b"]
    assert pool.teacher[:2, 0, 0].tolist() == [7, 9]


def test_rules_tell_figures_from_animation_frames_and_originals_from_filtered_pictures():
    assert sources.kind("endless-sky-data", "usr/images/ship/falcon.png") == "figure"
    assert sources.kind("endless-sky-data", "usr/images/ship/sprite-04.png") is None
    assert sources.kind("wesnoth-1.16-did", "usr/x/images/portraits/a.png") == "figure"
    assert sources.kind("gimp-help-en", "usr/images/taj_orig.jpg") == "photo"
    assert sources.kind("gimp-help-en", "usr/images/blur-taj-lens.jpg") is None


def test_packages_are_in_order_and_named_once():
    assert list(sources.PACKAGES) == sorted(set(sources.PACKAGES))


def test_version_of_a_package_unpacked_by_hand_is_unknown(tmp_path):
    (tmp_path / "packages").mkdir()
    (tmp_path / "packages" / "a.version").write_text("1:2-3")
    assert data.version("a", tmp_path) == "1:2-3"
    assert data.version("b", tmp_path) == "unknown"
