"""Loss, pruning, export and quantisation, on networks of a few channels."""

import math

import numpy as np
import onnx
import pytest
import torch

from distill import export, network, prune, quantise, weights
from distill.judge import Judge, normalise
from distill.loss import LossWeights, distillation_loss, hard_loss, soft_loss

WIDTHS = {stage: (4, 8) for stage in network.STAGES}
LIKE_TEACHER = network.Design(WIDTHS, 64, half_resolution=False, side_kernel=3)
LIKE_STUDENT = network.Design(WIDTHS, 64, half_resolution=True, side_kernel=1)


def net(design: network.Design, seed: int = 0) -> network.U2Net:
    torch.manual_seed(seed)
    made = network.U2Net(design).eval().requires_grad_(False)
    for layer in made.modules():
        if isinstance(layer, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(layer.weight)
    return made


def pictures(count: int, side: int) -> list[np.ndarray]:
    dice = np.random.default_rng(0)
    return [dice.integers(0, 256, (side, side, 3), np.uint8) for _ in range(count)]


def test_soft_loss_by_hand():
    logits, teacher = torch.zeros(1), torch.tensor([0.8])
    p = 2 / 3  # sigmoid(ln 4 / 2)
    expected = 4 * (p * math.log(p / 0.5) + (1 - p) * math.log((1 - p) / 0.5))
    assert soft_loss(logits, teacher, 2.0).item() == pytest.approx(expected, rel=1e-5)
    assert soft_loss(torch.logit(teacher), teacher, 2.0).item() == pytest.approx(0, abs=1e-6)


def test_hard_loss_by_hand():
    assert hard_loss(torch.tensor([0.0]), torch.tensor([1.0])).item() == 0.5


def test_terms_are_weighted_and_side_maps_are_judged_at_their_own_size():
    teacher, truth = torch.full((1, 1, 4, 4), 0.8), torch.ones(1, 1, 4, 4)
    fused, side = torch.zeros(1, 1, 2, 2), torch.zeros(1, 1, 2, 2)
    soft = soft_loss(torch.zeros(1), torch.tensor([0.8]), 2.0).item()
    one = 0.25 * 0.5 + 0.75 * soft
    weights = LossWeights(alpha=0.25, temperature=2.0, sides=0.5)
    assert distillation_loss([fused], teacher, truth, weights).item() == pytest.approx(one, rel=1e-5)
    both = distillation_loss([fused, side, side], teacher, truth, weights).item()
    assert both == pytest.approx(one + 0.5 * 2 * one, rel=1e-5)


def test_channels_that_span_the_others_are_kept():
    torch.manual_seed(0)
    base = torch.rand(2, 2, 8, 8)
    x = torch.cat((base[:, :1], base[:, :1] * 0.5, base[:, 1:] * 0.9, base[:, :1] + 1e-4), 1)
    kept = prune.spanning_channels(x, 2).tolist()
    assert 2 in kept and len(set(kept) & {0, 3}) == 1


def test_layer_is_fitted_to_what_its_inputs_can_tell():
    torch.manual_seed(0)
    right, fitted = torch.nn.Conv2d(3, 2, 3, padding=1), torch.nn.Conv2d(3, 2, 3, padding=1)
    x = torch.randn(4, 3, 24, 24)
    with torch.no_grad():
        prune.fit(fitted, x, right(x), None, rectified=False)
        assert (fitted(x) - right(x)).abs().max() < 0.02


def test_pruning_to_the_same_width_gives_the_same_network():
    teacher, student = net(LIKE_TEACHER), net(LIKE_TEACHER, seed=1)
    x = torch.randn(6, 3, 64, 64)
    before = [(s - t).abs().mean() / t.abs().mean() for s, t in zip(student(x), teacher(x))]
    prune.prune(teacher, student, x, report=lambda *_: None)
    after = [(s - t).abs().mean() / t.abs().mean() for s, t in zip(student(x), teacher(x))]
    assert max(after) < 0.1 < min(before)


def test_student_answers_at_half_the_size_of_its_input():
    maps = net(LIKE_STUDENT)(torch.randn(1, 3, 64, 64))
    assert [tuple(m.shape) for m in maps] == [(1, 1, 32, 32)] * 7


def test_exported_file_computes_what_torch_computes(tmp_path):
    student, path = net(LIKE_STUDENT), tmp_path / "student.onnx"
    export.write(student, path)
    assert export.difference(student, path, pictures(3, 64)) < 1e-4
    assert export.difference(weights.load(path, LIKE_STUDENT), path, pictures(3, 64)) < 1e-4


def quantised_weights(path) -> int:
    return sum(tensor.data_type == onnx.TensorProto.INT8 and len(tensor.dims) == 4 for tensor in onnx.load(path).graph.initializer)


def test_quantised_student_agrees_and_keeps_its_maps_in_float(tmp_path):
    source, target = tmp_path / "float.onnx", tmp_path / "int8.onnx"
    export.write(net(LIKE_STUDENT), source)
    seen = pictures(8, 64)
    calibration = iter({"photo": normalise(picture)} for picture in seen)

    class Reader(quantise.CalibrationDataReader):
        def get_next(self):
            return next(calibration, None)

    quantise.static(source, target, Reader())
    assert quantised_weights(target) >= 100
    ours, theirs = Judge(target), Judge(source)
    apart = [np.abs(ours(picture) - theirs(picture)).mean() for picture in seen]
    assert np.mean(apart) < 0.05
    assert len(quantise.float_nodes(source)) >= 8


def test_card_holds_the_answer_to_the_golden_picture(tmp_path):
    from PIL import Image

    path, golden = tmp_path / "student.onnx", tmp_path / "golden.png"
    export.write(net(LIKE_STUDENT), path)
    Image.fromarray(pictures(1, 64)[0]).save(golden)
    card = quantise.card(path, golden, {"steps": 3})
    cells = bytes.fromhex(card.split('cells = "')[1].split('"')[0])
    answer = Judge(path)(pictures(1, 64)[0])
    assert len(cells) == 256 and cells[0] == round(255 * float(answer[:4, :4].mean()))
    assert "steps = 3" in card
