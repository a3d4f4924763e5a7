"""The metrics on pictures small enough to know the answer, and what the set promises."""

import numpy as np
import pytest

import evaluation_set
import layers
import metrics


def half(side=20):
    """The right half opaque and red."""
    alpha = np.zeros((side, side), np.float32)
    alpha[:, side // 2 :] = 1
    colour = np.zeros((side, side, 3), np.float32)
    colour[:, side // 2 :] = (200, 0, 0)
    return metrics.Truth(colour, alpha)


def test_band_is_six_pixels_on_each_side():
    band = half().band
    assert band[5].tolist() == [False] * 4 + [True] * 12 + [False] * 4


def test_truth_has_no_error():
    truth = half()
    figures = metrics.judge(truth.colour, truth.alpha, truth.alpha, truth)
    assert figures == {"edge": 0, "mask_part": 0, "edge_part": 0, "psnr": 70, "iou": 1, "colour": None}


def test_edge_error_by_hand():
    truth = half()
    # One column of the band's twelve is missing: its red is seen as white, black, blue and red ground.
    alpha = truth.alpha.copy()
    alpha[:, 10] = 0
    differences = [55 + 255 + 255, 200, 160 + 90 + 200, 30 + 60 + 60]
    wanted = sum(differences) / 3 / 4 / 12
    figures = metrics.judge(truth.colour, alpha, alpha, truth)
    assert figures["edge"] == pytest.approx(wanted, rel=1e-5)
    assert (figures["mask_part"], figures["edge_part"]) == pytest.approx((wanted, 0), rel=1e-5)
    assert metrics.judge(truth.colour, alpha, truth.alpha, truth)["edge_part"] == pytest.approx(wanted, rel=1e-5)
    assert figures["iou"] == pytest.approx(9 / 10)
    assert figures["psnr"] == pytest.approx(10 * np.log10(20))


def test_premultiplied_colour_is_an_error_at_half_alpha():
    truth = half()
    truth.alpha[:, 10] = 0.5
    truth = metrics.Truth(truth.colour, truth.alpha)
    dark = truth.colour * truth.alpha[..., None]
    # A column of the band, of which the red is 50 for 100 on every ground. The edge has moved by a pixel with 0.5.
    assert metrics.judge(dark, truth.alpha, truth.alpha, truth)["edge"] == pytest.approx(50 / 3 / 12, rel=1e-5)
    assert metrics.colour_error(dark, truth.alpha, truth) == pytest.approx(100 / 3)


def test_colour_counts_as_much_as_it_is_seen():
    truth = metrics.Truth(np.zeros((1, 3, 3), np.float32), np.array([[0.5, 0.5, 1]], np.float32))
    colour = np.array([[[90, 90, 90], [30, 30, 30], [200, 200, 200]]], np.float32)
    alpha = np.array([[0.25, 0.9, 1]], np.float32)
    assert metrics.colour_error(colour, alpha, truth) == pytest.approx((0.25 * 90 + 0.5 * 30) / 0.75)


def test_empty_picture_gives_figures():
    nothing = np.zeros((8, 8), np.float32)
    truth = metrics.Truth(np.zeros((8, 8, 3), np.float32), nothing)
    assert metrics.judge(truth.colour, nothing, nothing, truth)["iou"] == 1


def test_layers_lie_over_one_another():
    red, blue = np.full((1, 1, 3), (200, 0, 0), np.float32), np.full((1, 1, 3), (0, 0, 100), np.float32)
    colour, alpha = layers.over((red, np.full((1, 1), 0.5, np.float32)), (blue, np.full((1, 1), 0.5, np.float32)))
    assert alpha[0, 0] == pytest.approx(0.75)
    assert colour[0, 0].tolist() == pytest.approx([200 * 2 / 3, 0, 100 / 3])


def test_stroke_covers_its_width():
    points = np.array([[8.0, 4.0], [8.0, 30.0]])
    colour, alpha = layers.draw([(points, [3.0, 3.0], (10, 20, 30))], (16, 32))
    assert alpha[16].sum() == pytest.approx(3, abs=0.3)
    assert colour[16, 8].tolist() == [10, 20, 30]
    assert alpha[0].sum() == 0


def test_a_small_set_is_the_beginning_of_a_large_one():
    names = evaluation_set.names(1000)
    assert len(names) == sum(evaluation_set.COUNTS.values()) == 170
    assert evaluation_set.names(20) == names[:20]
    assert {evaluation_set.subset_of(name) for name in names[:14]} == set(evaluation_set.COUNTS)
    assert set(evaluation_set.LARGE) <= set(names)
