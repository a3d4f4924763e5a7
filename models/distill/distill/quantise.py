"""`NAME-float.onnx` + training views -> `models/NAME.onnx` (INT8) and its manifest `models/NAME.toml`.

Static quantisation, per channel, calibrated on training views and with weights rounded together (`rounding.py`),
against dynamic quantisation, which takes over if the static one is not near enough to the float student on evaluation
photos. What makes one map of the stages' maps stays in float: it is next to no work, and rounding there is rounding of the
result.
"""

import argparse
import hashlib
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnxruntime import __version__ as runtime_version
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_dynamic,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process
from PIL import Image

from . import data, export, metrics, network, rounding, train, views
from .judge import Judge, normalise
from .lean import make_lean
from .work import MODELS, add_name, add_work, manifest

IOU_MIN = 0.95
PSNR_MIN = 30.0
GOLDEN_PICTURE = "golden.jpg"
GOLDEN_SIDE = 16
ROUNDING_VIEWS = 256
SEED = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_work(parser)
    add_name(parser)
    parser.add_argument("--views", type=int, default=128, help="for calibration (default: %(default)s)")
    parser.add_argument("--models", type=Path, default=MODELS, help="where to write (default: %(default)s)")


class Calibration(CalibrationDataReader):
    """Training views, one by one, as the runtime's calibration wants them."""

    def __init__(self, pool: views.Pool, count: int, judge: Judge):
        numbers = np.random.default_rng(SEED).permutation(len(pool.index))[:count]
        self.inputs = ({judge.input.name: normalise(pool.shrunk(n, judge.size))} for n in numbers)

    def get_next(self) -> dict | None:
        return next(self.inputs, None)


def float_nodes(model: Path) -> list[str]:
    """The nodes behind the stages' maps of one channel: what widens and joins them, and the sigmoid."""
    graph = onnx.load(model).graph
    channels = {tensor.name: tensor.dims for tensor in graph.initializer}
    maps: set[str] = set()
    nodes = []
    for node in graph.node:
        if maps.intersection(node.input):
            nodes.append(node.name)
            maps.update(node.output)
        elif node.op_type == "Conv" and channels[node.input[1]][0] == 1:
            maps.update(node.output)
    return nodes


def static(source: Path, target: Path, calibration: CalibrationDataReader) -> None:
    """Each weight in 7 bits, to its nearest step: products of 8 bits overflow in 16 on x86 processors without VNNI.

    The file is made lean.
    """
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(source, prepared, skip_symbolic_shape=True)
        quantize_static(
            prepared, target, calibration, quant_format=QuantFormat.QDQ, per_channel=True, reduce_range=True,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax, nodes_to_exclude=float_nodes(prepared),
        )  # fmt: skip
    make_lean(model := onnx.load(target))
    onnx.save(model, target)


def static_together(source: Path, target: Path, student: network.U2Net, pool: views.Pool, count: int) -> None:
    """Calibrated on `count` training views, and the weights of each layer rounded together."""
    static(source, target, Calibration(pool, count, Judge(source)))
    rounding.improve(target, student, train.some_pictures(pool, ROUNDING_VIEWS, student.design.size, SEED))


@dataclass(frozen=True)
class Agreement:
    """How near a quantised student is to the float one: mean IoU on clear evaluation photos, mean PSNR on all."""

    iou: float
    psnr: float

    @property
    def is_enough(self) -> bool:
        return self.iou >= IOU_MIN and self.psnr >= PSNR_MIN


def agreement(model: Path, reference: Path, pool: views.Pool) -> Agreement:
    ours, theirs = Judge(model), Judge(reference)
    ious, psnrs = [], []
    for number in train.judged(pool, "photo", "scene"):
        picture = pool.shrunk(number, ours.size)
        a, b = ours(picture), theirs(picture)
        psnrs.append(metrics.psnr(a, b))
        if pool.is_clear(number):
            ious.append(metrics.iou(a, b))
    return Agreement(float(np.mean(ious)), float(np.mean(psnrs)))


def better(scores: dict[str, Agreement]) -> str | None:
    """Static if it agrees enough; else dynamic, which takes more than three times as long, if that does."""
    return next((kind for kind in ("static", "dynamic") if scores[kind].is_enough), None)


def golden_cells(model: Path, picture: Path) -> str:
    """Mean opacity of 16 x 16 parts of the model's answer, two hex digits each."""
    judge = Judge(model)
    photo = Image.open(picture).convert("RGB").resize((judge.size, judge.size), Image.Resampling.LANCZOS)
    part = judge.size // GOLDEN_SIDE
    means = judge(np.asarray(photo)).reshape(GOLDEN_SIDE, part, GOLDEN_SIDE, part).mean((1, 3))
    return bytes(np.rint(255 * means).astype(np.uint8).flatten()).hex()


def base_manifest(model: Path) -> str:
    """The manifest with only what every model of this family needs."""
    judge = Judge(model)
    lines = [
        f'file = "{model}"',
        f'sha256 = "{hashlib.sha256(model.read_bytes()).hexdigest()}"',
        'licence = "Apache-2.0"',
        'source = "distilled from U²-Net (Qin et al., Pattern Recognition 2020) by models/distill"',
        f'input = "{judge.input.name}"',
        f"size = {judge.size}",
        f'output = "{judge.output}"',
        'divisor = "max"',
        "mean = [0.485, 0.456, 0.406]",
        "std = [0.229, 0.224, 0.225]",
        'activation = "none"',
        "stretch = true",
    ]
    return "\n".join(lines) + "\n"


def model_manifest(model: Path, golden: Path, training: dict) -> str:
    """The manifest of a model that ships, beside its file; `training` is a flat table for people."""
    lines = [
        base_manifest(model).replace(str(model), model.name),
        # Islands of its masks that were true in 9 to 17 % of cases only, on evaluation pictures.
        "[dust]",
        "cells = 64",
        "peak = 0.6",
        "",
        "[golden]",
        f'picture = "{golden.name}"',
        f'cells = "{golden_cells(model, golden)}"',
        "",
        "[training]",
        *(f"{key} = {json.dumps(value)}" for key, value in training.items()),
    ]
    return "\n".join(lines) + "\n"


def options_of(saved: dict) -> dict:
    """With what a checkpoint's student was trained, and the steps that were really taken."""
    return saved["options"] | {"steps": saved["step"]}


def main(args: argparse.Namespace) -> None:
    source = export.float_model(args.work, args.name)
    pool, eval_pool = views.load(args.work, "train"), views.load(args.work, "eval")
    candidates = {kind: args.work / f"{args.name}-{kind}.onnx" for kind in ("static", "dynamic")}
    student, saved = export.load(train.checkpoint(args))
    static_together(source, candidates["static"], student, pool, args.views)
    quantize_dynamic(source, candidates["dynamic"], weight_type=QuantType.QUInt8)
    scores = {kind: agreement(path, source, eval_pool) for kind, path in candidates.items()}
    for kind, score in scores.items():
        size = candidates[kind].stat().st_size / 1e6
        print(f"{kind}: {size:.2f} MB, IoU {score.iou:.4f} on clear photos and {score.psnr:.1f} dB to the float student")
    best = better(scores)
    if best is None:
        raise SystemExit(f"no quantised student agrees with the float one (IoU {IOU_MIN}, {PSNR_MIN} dB)")
    model = args.models / f"{args.name}.onnx"
    model.write_bytes(candidates[best].read_bytes())
    training = {
        "data": data.fingerprint(manifest(args.work, "train") + manifest(args.work, "eval")),
        "quantisation": best,
        "runtime": runtime_version,
        **options_of(saved),
        **train.evaluate(judge := Judge(model), judge.size, eval_pool),
        "agreement_iou": round(scores[best].iou, 4),
        "agreement_psnr": round(scores[best].psnr, 1),
    }
    (args.models / f"{args.name}.toml").write_text(model_manifest(model, args.models / GOLDEN_PICTURE, training))
    print(f"{model}: {model.stat().st_size / 1e6:.1f} MB, {best}")
