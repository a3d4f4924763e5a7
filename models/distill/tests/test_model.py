"""Loss, ranks, start, export and quantisation, on networks of a few channels."""

import argparse
import copy
import math
import re
from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from distill import export, network, quantise, ranks, reconstruct, report, rounding, split, train, views, weights
from distill.judge import Judge, normalise
from distill.lean import make_lean
from distill.loss import LossWeights, distillation_loss, hard_loss, hint_loss, soft_loss
from distill.whitening import observe, whiten

WIDTHS = {stage: (4, 8) for stage in network.STAGES}
LIKE_TEACHER = network.Design(WIDTHS, 64, half_resolution=False, side_kernel=3)
RANKS = {"en2.encoders.0": (0, 3), "en6.bottom": (3, 2), "de1.join": (0, 5), "de4.join": (6, 0)}
LIKE_STUDENT = network.Design(WIDTHS, 64, half_resolution=True, side_kernel=1, ranks=RANKS)


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


def test_student_may_be_surer_than_a_label_of_8_bits_can_tell():
    teacher = torch.tensor([0.0, 1.0, 0.0])
    logits = torch.tensor([-12.0, 12.0, 12.0], requires_grad=True)
    loss = soft_loss(logits, teacher, 2.0)
    loss.sum().backward()
    assert loss[:2].tolist() == pytest.approx([0, 0], abs=1e-6)
    assert logits.grad[:2].tolist() == [0, 0] and logits.grad[2] > 1


def test_hard_loss_by_hand():
    assert hard_loss(torch.tensor([0.0]), torch.tensor([1.0])).item() == 0.5


def test_terms_are_weighted_and_side_maps_are_judged_at_their_own_size():
    teacher, truth = torch.full((1, 1, 4, 4), 0.8), torch.ones(1, 1, 4, 4)
    fused, side = torch.zeros(1, 1, 2, 2), torch.zeros(1, 1, 2, 2)
    soft = soft_loss(torch.zeros(1), torch.tensor([0.8]), 2.0).item()
    one = 0.02 * math.log(1 + (0.25 * 0.5 + 0.75 * soft) / 0.003)
    weights = LossWeights(alpha=0.25, temperature=2.0, sides=0.5)
    assert distillation_loss([fused], teacher, truth, weights).item() == pytest.approx(one, rel=1e-5)
    both = distillation_loss([fused, side, side], teacher, truth, weights).item()
    assert both == pytest.approx(one + 0.5 * 2 * one, rel=1e-5)


def test_every_picture_counts_by_the_logarithm_of_its_error_and_a_composite_by_the_hard_term_alone():
    teacher, truth = torch.full((1, 1, 2, 2), 0.5), torch.tensor([0.5, 1.0, 0.0])[:, None, None, None].expand(3, 1, 2, 2)
    logits = torch.tensor([0.0, 0.0, math.log(0.01 / 0.99)])[:, None, None, None].expand(3, 1, 2, 2)
    expected = [0, math.log(1 + 0.5 / 0.003), math.log(1 + 0.01 / 0.003)]
    loss = distillation_loss([logits], teacher, truth, LossWeights(alpha=0.25, temperature=2.0, sides=0.5))
    assert loss.item() == pytest.approx(0.02 * sum(expected) / 3, rel=1e-5)


def test_hints_by_hand():
    same, off = torch.ones(1, 2, 4, 4), torch.full((1, 2, 4, 4), 1.5)
    assert hint_loss([same, off], [same, same]).item() == pytest.approx(0.25 / 2)
    # Of each 2 x 2 the encoder's answer counts with its maximum, the decoder's with its mean.
    large = torch.tensor([[0.0, 2.0], [0.0, 2.0]]).repeat(2, 2)[None, None]
    two, one = torch.full((1, 1, 2, 2), 2.0), torch.ones(1, 1, 2, 2)
    assert hint_loss([two, one], [large, large]).item() == 0


def test_teacher_is_asked_only_about_what_has_no_truth():
    student, teacher, parts = net(LIKE_STUDENT), net(LIKE_TEACHER, seed=1), LossWeights(0.75, 2.0, 0.5)
    x, truth = torch.randn(3, 3, 64, 64), torch.rand(3, 1, 64, 64)
    soft = torch.sigmoid(teacher(x[:1])[0])
    loss, hints = train.losses_of(student, teacher, train.Batch(x, truth, 1), parts, bfloat16=False)
    assert loss.item() == pytest.approx(distillation_loss(student(x), soft, truth, parts).item(), rel=1e-5)
    expected = hint_loss([each[:1] for each in student.features(x)], teacher.features(x[:1]))
    assert hints.item() == pytest.approx(expected.item(), rel=1e-5)
    loss, hints = train.losses_of(student, teacher, train.Batch(x, truth, 0), parts, bfloat16=False)
    assert loss.item() == pytest.approx(distillation_loss(student(x), truth[:0], truth, parts).item(), rel=1e-5)
    assert hints.item() == 0


def test_bfloat16_changes_little_and_the_weights_stay_in_float():
    student, teacher, parts = net(LIKE_STUDENT), net(LIKE_TEACHER, seed=1), LossWeights(0.75, 2.0, 0.5)
    batch = train.Batch(torch.randn(2, 3, 64, 64), torch.rand(2, 1, 64, 64), 1)
    whiten(student, batch.pictures)
    student.requires_grad_(True)
    coordinates = student.stages["en2"].encoders[1].parametrizations.weight.original
    losses, gradients = [], []
    for bfloat16 in (False, True):
        student.zero_grad()
        loss, hints = train.losses_of(student, teacher, batch, parts, bfloat16)
        (loss + hints).backward()
        losses.append((loss + hints).item())
        gradients.append(coordinates.grad.flatten().clone())
    assert losses[0] != losses[1] and losses[1] == pytest.approx(losses[0], rel=0.02)
    assert coordinates.dtype == coordinates.grad.dtype == torch.float32
    assert torch.cosine_similarity(*gradients, dim=0) > 0.95


def test_batch_begins_with_what_the_teacher_labelled():
    sides = (4, views.SIDE, views.SIDE)
    index = [{"kind": kind, "of": ["a"]} for kind in ("composite", "photo", "drawing", "composite")]
    pool = views.Pool(
        index, np.stack(pictures(4, views.SIDE)), teacher=np.full(sides, 255, np.uint8), mirrored=None, truth=np.zeros(sides, np.uint8)
    )
    options = argparse.Namespace(size=64, batch=64, seed=1, composites=0.5, figures=0.5, drawings=0.1)
    batch = train.Batches(pool, options).next()
    assert batch.asked == 32
    assert batch.truth[: batch.asked].min() > 0.99 and batch.truth[batch.asked :].max() == 0
    assert batch.pictures.shape == (64, 3, 64, 64)


@pytest.mark.parametrize("kind, asked", [("photo", 4), ("drawing", 4), ("composite", 0)])
def test_pool_that_lacks_a_kind_gives_whole_batches(kind: str, asked: int):
    maps = np.zeros((1, views.SIDE, views.SIDE), np.uint8)
    pool = views.Pool([{"kind": kind, "of": ["a"]}], np.stack(pictures(1, views.SIDE)), maps, maps, maps)
    options = argparse.Namespace(size=64, batch=4, seed=1, composites=0.5, figures=0.5, drawings=0.1)
    batch = train.Batches(pool, options).next()
    assert (len(batch.pictures), batch.asked) == (4, asked)


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_composites_hold_their_share_of_drawn_figures(share: float):
    truth = np.zeros((2, views.SIDE, views.SIDE), np.uint8)
    truth[1] = 255
    index = [{"kind": "composite", "of": [name, "scene"]} for name in ("cutout", "figure")]
    pool = views.Pool(index, np.stack(pictures(2, views.SIDE)), None, None, truth)
    options = argparse.Namespace(size=16, batch=100, seed=1, composites=1.0, figures=share, drawings=0.0)
    figures = train.Batches(pool, options, frozenset({"figure"})).next().truth.mean().item()
    assert figures == pytest.approx(share, abs=0.1) and (figures == share or 0 < share < 1)


def test_layer_is_fitted_to_what_its_inputs_can_tell():
    torch.manual_seed(0)
    right, fitted = torch.nn.Conv2d(3, 2, 3, padding=1), torch.nn.Conv2d(3, 2, 3, padding=1)
    x = torch.randn(4, 3, 24, 24)
    with torch.no_grad():
        reconstruct.fit(fitted, x, right(x), None, rectified=False)
        assert (fitted(x) - right(x)).abs().max() < 0.02


@pytest.mark.parametrize("inward, outward", [(0, 2), (4, 0), (4, 2)])
def test_layer_of_low_rank_is_fitted_to_what_it_can_compute(inward: int, outward: int):
    torch.manual_seed(0)
    right, fitted = network.LowRank(8, 6, 1, inward, outward), network.LowRank(8, 6, 1, inward, outward)
    x = torch.randn(8, 8, 24, 24)
    with torch.no_grad():
        kernel = right.kernel.weight
        if inward:
            kernel = torch.einsum("oihw,ic->ochw", kernel, right.before.weight[..., 0, 0])
            # Where the picture ends a kernel sees zeros: with a bias before it they would mean something else.
            right.before.bias.zero_()
        if outward:
            kernel = torch.einsum("oi,ichw->ochw", right.behind.weight[..., 0, 0], kernel)
        reconstruct.fit(fitted, x, right(x), kernel, rectified=False)
        assert (fitted(x) - right(x)).abs().max() < 0.02


def test_channels_inside_a_pair_carry_the_same_and_are_centred():
    torch.manual_seed(0)
    right, fitted = torch.nn.Conv2d(3, 16, 3, padding=1), network.LowRank(3, 16, 1, 0, 8)
    with torch.no_grad():
        right.weight *= torch.logspace(0, -3, 16)[:, None, None, None]
        x = torch.rand(8, 3, 24, 24)
        reconstruct.fit(fitted, x, right(x), None, rectified=False)
        inside = fitted.kernel(x)[..., 2:-2, 2:-2].transpose(0, 1).flatten(1)
        assert (fitted(x) - right(x)).abs().mean() < 0.02
    assert inside.std(1).max() < 8 * inside.std(1).min()
    assert (inside.mean(1).abs() < 0.2 * inside.std(1)).all()


def test_lost_share_of_a_rank_is_the_energy_outside_so_many_components():
    responses = torch.tensor([[3.0, 0, 1], [-3, 0, 1], [0, 1, 1], [0, -1, 1]])
    assert ranks.lost_shares(ranks.component_energy(responses)).tolist() == pytest.approx([1, 0.1, 0, 0])


def test_every_convolution_of_the_student_is_observed_and_may_get_a_rank():
    whole = network.Design(WIDTHS, 64, half_resolution=True, side_kernel=1)
    layers = ranks.observe(net(LIKE_TEACHER), whole, torch.randn(2, 3, 64, 64))
    assert len(layers) == 112 and layers["en1.join"].channels_in == 12
    assert layers["en1.join"].pixels == 32 * 32 and layers["en6.bottom"].pixels == 2 * 2


def test_pictures_that_training_knows_are_not_judged():
    names = [split.TWINS[0].ljust(64, "0"), "b" * 64]
    index = [{"kind": "photo", "of": [name]} for name in names]
    assert all(split.part(name) == "eval" for name in names)
    assert train.judged(views.Pool(index, None, None, None, None), "photo") == [1]


def test_ranks_keep_both_budgets_and_go_where_energy_is():
    rich, poor = (1 - torch.linspace(0, 1, 65)) ** 2, torch.cat((torch.ones(1), torch.zeros(64)))
    layers = {"rich": ranks.Layer(64, 64, 100, rich), "poor": ranks.Layer(64, 64, 100, poor)}
    whole = 9 * 64 * 64
    chosen = ranks.choose(layers, 1.5 * 100 * whole, 1e9)
    assert chosen == {"poor": (0, 8)}
    chosen = ranks.choose(layers, 1e9, whole)
    assert chosen["poor"] == (0, 8) and 8 < chosen["rich"][1] <= 48
    with pytest.raises(ValueError, match="allow more"):
        ranks.choose(layers, 10, 10)


def test_reconstruction_in_the_same_form_gives_the_same_network():
    teacher, student = net(LIKE_TEACHER), net(LIKE_TEACHER, seed=1)
    x = torch.randn(6, 3, 64, 64)
    before = [(s - t).abs().mean() / t.abs().mean() for s, t in zip(student(x), teacher(x))]
    reconstruct.reconstruct(teacher, student, x, 4, report=lambda *_: None)
    after = [(s - t).abs().mean() / t.abs().mean() for s, t in zip(student(x), teacher(x))]
    assert max(after) < 0.1 < min(before)


def test_student_answers_at_half_the_size_of_its_input():
    maps = net(LIKE_STUDENT)(torch.randn(1, 3, 64, 64))
    assert [tuple(m.shape) for m in maps] == [(1, 1, 32, 32)] * 7


def test_exported_file_computes_what_torch_computes(tmp_path):
    student, path = net(LIKE_STUDENT), tmp_path / "student.onnx"
    export.write(student, path)
    assert export.difference(student, path, pictures(3, 64)) < 1e-4
    assert export.difference(weights.load_student(path), path, pictures(3, 64)) < 1e-4


def test_student_goes_on_at_another_size(tmp_path):
    first, smaller = tmp_path / "student.onnx", tmp_path / "student-fast.onnx"
    export.write(net(LIKE_STUDENT), first)
    student = train.beginning(argparse.Namespace(start=first, size=32), None, None)
    export.write(student.requires_grad_(False), smaller)
    assert (Judge(first).size, Judge(smaller).size) == (64, 32)
    assert weights.load_student(smaller).design == replace(LIKE_STUDENT, size=32)
    assert export.difference(weights.load_student(first), smaller, pictures(3, 32)) < 1e-4


def test_checkpoint_of_another_size_is_not_trained_on(tmp_path):
    saved = {"design": LIKE_STUDENT.to_dict()}
    assert train.design_of(saved, tmp_path, 64) == LIKE_STUDENT
    with pytest.raises(SystemExit, match="size 64"):
        train.design_of(saved, tmp_path, 32)


def test_report_is_about_every_student_and_the_default_one_even_if_it_is_missing(tmp_path):
    for name in ("u2net", "student-fast"):
        (tmp_path / f"{name}.onnx").touch()
    found = report.students(tmp_path, tmp_path / "u2net.onnx")
    assert [path.stem for path in found] == ["student", "student-fast"]


def test_report_tells_how_far_other_pictures_may_lead():
    scores = {"psnr_truth": [20.0, 24.0], "teacher_psnr_truth": [21.0, 22.0], "iou_clear": [0.9, 0.8, 0.7]}
    said = report.uncertainty("`student`", scores)
    # Differences of -1 and 2 dB have a standard deviation of 3 / sqrt(2), three IoUs 0.1 apart one of 0.1.
    assert "+0.50 dB (standard error 1.50)" in said and "0.058." in said


def quantised_weights(path) -> int:
    return sum(tensor.data_type == onnx.TensorProto.INT8 and len(tensor.dims) == 4 for tensor in onnx.load(path).graph.initializer)


def reader(seen: list[np.ndarray]) -> quantise.CalibrationDataReader:
    calibration = iter({"photo": normalise(picture)} for picture in seen)

    class Reader(quantise.CalibrationDataReader):
        def get_next(self):
            return next(calibration, None)

    return Reader()


def test_quantised_student_agrees_and_joins_its_maps_in_float(tmp_path):
    source, target = tmp_path / "float.onnx", tmp_path / "int8.onnx"
    export.write(net(LIKE_STUDENT), source)
    seen = pictures(8, 64)
    quantise.static(source, target, reader(seen))
    assert quantised_weights(target) >= 100
    ours, theirs = Judge(target), Judge(source)
    apart = [np.abs(ours(picture) - theirs(picture)).mean() for picture in seen]
    assert np.mean(apart) < 0.06
    kernels = [t.name for t in onnx.load(target).graph.initializer if len(t.dims) == 4 and t.data_type == onnx.TensorProto.FLOAT]
    assert kernels == ["network.fuse.weight"]
    kept = [node.op_type for node in onnx.load(source).graph.node if node.name in quantise.float_nodes(source)]
    assert kept.count("Conv") == 1 and {"Resize", "Concat", "Sigmoid"} <= set(kept)
    again, original = weights.load_student(target), weights.load_student(source)
    tensors = {t.name: numpy_helper.to_array(t) for t in onnx.load(target).graph.initializer}
    for (name, ours), theirs in zip(again.named_parameters(), original.parameters()):
        if name.startswith("fuse."):
            assert (ours == theirs).all(), name
            continue
        step = tensors[f"network.{name}_scale" if name.endswith("weight") else f"network.{name}_quantized_scale"]
        apart = (ours - theirs).detach().abs().flatten(min(1, ours.dim() - 1))
        assert (apart.numpy().T <= 0.501 * step).all(), name
        assert name.endswith("bias") or apart.max() <= theirs.abs().max() / 100, name


def test_weights_rounded_together_answer_nearer_than_each_to_its_nearest_step():
    torch.manual_seed(0)
    weight, scale = torch.randn(8, 24), torch.full((8,), 0.1)
    inputs = torch.randn(400, 4) @ torch.randn(4, 24) + 0.1 * torch.randn(400, 24)
    steps = rounding.round_together(weight, scale, inputs.T @ inputs)
    nearest = (weight / 0.1).round()
    missed = [((s.float() * 0.1 - weight) @ inputs.T).square().mean() for s in (steps, nearest)]
    assert missed[0] < 0.3 * missed[1]
    alone = rounding.round_together(weight, scale, torch.eye(24))
    assert (alone == nearest).all()


@pytest.mark.parametrize(
    ("weights", "steps"),
    [([20.0], [127]), ([8.0, 8.0], [80, 48]), ([-8.0, -8.0], [-80, -48]), ([8.0, -8.0], [80, -80]), ([0.0, 20.0], [0, 127])],
)
def test_two_products_of_neighbouring_steps_fit_16_bits(weights: list[float], steps: list[int]):
    scale, power = torch.tensor([0.1]), torch.eye(len(weights))
    assert rounding.round_together(torch.tensor([weights]), scale, power).tolist() == [steps]


def test_scales_are_as_fine_as_neighbours_allow():
    weight = torch.tensor([[1.27, 0.0, 0.01], [0.0, 0.64, 0.64], [-0.32, -0.96, 0.5], [1.27, -1.27, 0.0]])
    assert torch.allclose(rounding.scales(weight), torch.full((4,), 0.01))
    assert torch.allclose(rounding.scales(torch.tensor([[1.27], [0.0]])), torch.tensor([0.01, 0.0]))


def pool_of(shown: list[np.ndarray]) -> views.Pool:
    maps = np.full((len(shown), views.SIDE, views.SIDE), 255, np.uint8)
    return views.Pool([{"kind": "photo", "of": ["b" * 64]}] * len(shown), np.stack(shown), maps, maps, maps)


def test_student_in_int8_is_rounded_together_within_the_bounds(tmp_path):
    source, plain, together = (tmp_path / f"{name}.onnx" for name in ("float", "plain", "together"))
    student, pool = net(LIKE_STUDENT), pool_of(pictures(8, views.SIDE))
    with torch.no_grad():
        # A row that never answers must not lose its bias.
        student.stages["en2"].encoders[1].weight[0] = 0
        student.stages["en2"].encoders[1].bias[0] = 0.5
    export.write(student, source)
    quantise.static(source, plain, quantise.Calibration(pool, 8, Judge(source)))
    quantise.static_together(source, together, student, pool, 8)
    apart = [quantise.agreement(path, source, pool).psnr for path in (plain, together)]
    assert apart[1] > apart[0] + 3
    before, after = ({t.name: t for t in onnx.load(path).graph.initializer} for path in (plain, together))
    changed = {name.removeprefix("network.") for name in before if before[name] != after[name]}
    assert changed and all(re.search(r"(weight|bias)_(quantized|scale|quantized_scale)$", name) for name in changed)
    steps = [numpy_helper.to_array(t) for name, t in after.items() if name.endswith("weight_quantized")]
    pairs = [np.lib.stride_tricks.sliding_window_view(s.transpose(0, 2, 3, 1).reshape(len(s), -1), 2, 1) for s in steps if s[0].size > 1]
    assert max(np.abs(np.where((p > 0).all(2) | (p < 0).all(2), p.sum(2, dtype=int), 0)).max() for p in pairs) <= 128
    assert max(np.abs(s).max() for s in steps) > 64
    bias = weights.load_student(together).stages["en2"].encoders[1].bias
    assert abs(bias[0].item() - 0.5) < 1e-3


def test_quantised_file_is_lean_and_answers_the_same(tmp_path, monkeypatch):
    source, whole, lean = (tmp_path / f"{name}.onnx" for name in ("float", "whole", "lean"))
    export.write(net(LIKE_STUDENT), source)
    seen = pictures(4, 64)
    quantise.static(source, lean, reader(seen))
    with monkeypatch.context() as without:
        without.setattr(quantise, "make_lean", lambda model: None)
        quantise.static(source, whole, reader(seen))
    assert all((Judge(lean)(picture) == Judge(whole)(picture)).all() for picture in seen)
    again, original = weights.load_student(lean), weights.load_student(whole)
    assert again.design == original.design
    assert all((ours == theirs).all() for ours, theirs in zip(again.parameters(), original.parameters()))
    after, before = (onnx.load(path).graph for path in (lean, whole))
    names = [{name for node in graph.node for name in (node.name, *node.output)} - {"opacity"} for graph in (after, before)]
    assert max(map(len, names[0])) <= 4 < min(map(len, names[1]))
    assert len(after.initializer) < 0.7 * len(before.initializer)
    assert before.value_info and not after.value_info


def test_numbers_in_a_lean_model_are_no_names_of_its_weights():
    ends = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1]) for name in ("a", "b")]
    weights_named = [onnx.numpy_helper.from_array(np.ones(1, np.float32), str(n)) for n in range(3)]
    nodes = [onnx.helper.make_node("Add", [a, w], [b]) for a, w, b in (("a", "0", "x"), ("x", "1", "y"), ("y", "2", "b"))]
    model = onnx.helper.make_model(onnx.helper.make_graph(nodes, "g", ends[:1], ends[1:], weights_named))
    make_lean(model)
    assert [list(node.input) for node in model.graph.node] == [["a", "0"], ["3", "1"], ["4", "2"]]
    assert model.graph.node[2].output == ["b"]


def test_agreement_tells_another_model_from_the_same(tmp_path):
    same, other = tmp_path / "same.onnx", tmp_path / "other.onnx"
    export.write(net(LIKE_STUDENT), same)
    export.write(net(LIKE_STUDENT, seed=1), other)
    pool = pool_of(pictures(4, views.SIDE))
    itself = quantise.agreement(same, same, pool)
    assert itself == quantise.Agreement(1.0, 60.0) and itself.is_enough
    assert not quantise.agreement(other, same, pool).is_enough


def test_a_dynamic_student_is_kept_only_where_a_static_one_disagrees():
    near, nearer, far = (quantise.Agreement(*score) for score in ((0.96, 36.0), (0.98, 38.0), (0.94, 36.0)))
    assert quantise.better({"static": near, "dynamic": nearer}) == "static"
    assert quantise.better({"static": far, "dynamic": near}) == "dynamic"
    assert quantise.better({"static": far, "dynamic": far}) is None


def test_manifest_holds_the_answer_to_the_golden_picture(tmp_path):
    from PIL import Image

    path, golden = tmp_path / "student.onnx", tmp_path / "golden.png"
    export.write(net(LIKE_STUDENT), path)
    Image.fromarray(pictures(1, 64)[0]).save(golden)
    manifest = quantise.model_manifest(path, golden, {"steps": 3})
    cells = bytes.fromhex(manifest.split('cells = "')[1].split('"')[0])
    answer = Judge(path)(pictures(1, 64)[0])
    assert len(cells) == 256 and cells[0] == round(255 * float(answer[:4, :4].mean()))
    assert "steps = 3" in manifest


def test_manifest_tells_the_steps_that_were_taken():
    assert quantise.options_of({"step": 700, "options": {"steps": 900, "batch": 8}}) == {"steps": 700, "batch": 8}


def test_whitened_network_computes_the_same_and_trains_in_like_sizes():
    student, x = net(LIKE_STUDENT), torch.randn(4, 3, 64, 64)
    whitened = copy.deepcopy(student)
    whiten(whitened, x)
    again = net(LIKE_STUDENT, seed=1)
    whiten(again, None)
    again.load_state_dict(whitened.state_dict())
    expected = student(x)[0]
    for other in (whitened, again):
        assert (other(x)[0] - expected).abs().max() < 1e-3 * expected.abs().max()
    layer = whitened.stages["en2"].encoders[1]
    coordinates = layer.parametrizations.weight.original
    assert 0.1 < coordinates.square().mean().sqrt() < 10
    power, _ = observe(whitened, [layer], x)[layer]
    whiten_by = layer.parametrizations.weight[0].whiten
    values, whitened_values = (torch.linalg.eigvalsh(m) for m in (power, whiten_by @ power @ whiten_by.T))
    assert whitened_values[-1] < 1.1
    assert whitened_values[-1] / whitened_values[1] < 0.2 * values[-1] / values[1]
