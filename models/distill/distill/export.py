"""`NAME.pt` -> `NAME-float.onnx`: the averaged weights as ONNX, and proof that it computes the same.

The input is 1 x 3 x size x size, normalised; the output 1 x 1 x size x size, opacity 0..1.
"""

import argparse
import json
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch

from . import network, train, views, weights
from .judge import Judge, normalise
from .work import add_name, add_work

OPSET = 17
DIFFERENCE_MAX = 1e-3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_work(parser)
    add_name(parser)


def float_model(work: Path, name: str) -> Path:
    return work / f"{name}-float.onnx"


def load(path: Path) -> tuple[network.U2Net, dict]:
    """The averaged network of a checkpoint, and all that the checkpoint says."""
    if not path.is_file():
        raise SystemExit(f"{path} is missing: run `make train` first")
    saved = torch.load(path, weights_only=False)
    student = network.U2Net(network.Design.from_dict(saved["design"]))
    student.load_state_dict(saved["average"])
    return student.eval().requires_grad_(False), saved


def write(student: network.U2Net, path: Path) -> None:
    side = student.design.size
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network.Exported(student), (torch.zeros(1, 3, side, side),), path, dynamo=False,
            input_names=["photo"], output_names=["opacity"], opset_version=OPSET,
        )  # fmt: skip
    model = onnx.load(path)
    onnx.helper.set_model_props(model, {weights.DESIGN: json.dumps(student.design.to_dict())})
    onnx.save(model, path)


def difference(student: network.U2Net, path: Path, pictures: list[np.ndarray]) -> float:
    """The greatest difference of opacity between torch and ONNX Runtime on these pictures."""
    judge, worst = Judge(path), 0.0
    exported = network.Exported(student)
    for picture in pictures:
        ours = torch.from_numpy(normalise(picture))
        worst = max(worst, float(np.abs(exported(ours)[0, 0].numpy() - judge(picture)).max()))
    return worst


def main(args: argparse.Namespace) -> None:
    student, _ = load(train.checkpoint(args))
    path = float_model(args.work, args.name)
    write(student, path)
    pool = views.load(args.work, "eval")
    pictures = [pool.shrunk(number, student.design.size) for number in range(8)]
    worst = difference(student, path, pictures)
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB, at most {worst:.1e} from torch")
    if worst > DIFFERENCE_MAX:
        raise SystemExit(f"{path} does not compute what torch does: off by up to {worst}")
