"""A student, the same in INT8 and pictures -> each weight's step in the INT8 file, chosen for the layer's answer.

The nearest step makes the error of the weight least, and what counts is the error of what the layer answers.
So a layer's inputs are taken one after the other, and the weights that are still to be rounded make up for what
rounding has changed so far, as far as their inputs go together with the rounded ones (Hassibi and Stork, "Second order
derivatives for network pruning", NIPS 1992; Frantar et al., "GPTQ", ICLR 2023). Scales stay as they are.
"""

from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from .network import U2Net
from .reconstruct import sample
from .weights import PREFIX

STEP_MAX = 64
DAMPING = 0.01
PLACES = 256


@torch.no_grad()
def round_together(weight: Tensor, scale: Tensor, power: Tensor) -> Tensor:
    """N x K weights with a scale for each row, and the K x K second moments of their inputs -> steps, -64..64."""
    weight, scale = weight.double().clone(), scale.double()
    damped = power.double() + DAMPING * power.diagonal().mean().double() * torch.eye(len(power), dtype=torch.double)
    spread = torch.linalg.cholesky(torch.cholesky_inverse(torch.linalg.cholesky(damped)), upper=True)
    steps = torch.empty_like(weight)
    for column in range(len(power)):
        steps[:, column] = (weight[:, column] / scale).round().clamp(-STEP_MAX, STEP_MAX)
        error = (weight[:, column] - steps[:, column] * scale) / spread[column, column]
        weight[:, column + 1 :] -= error[:, None] * spread[column, column + 1 :]
    return steps.to(torch.int8)


@torch.no_grad()
def input_powers(student: U2Net, layers: dict[str, nn.Conv2d], pictures: Tensor) -> dict[str, Tensor]:
    """For each layer the second moments of the patches that its kernel sees, from some places of each picture."""
    powers: dict[str, Tensor] = {}
    dice = torch.Generator().manual_seed(0)

    def watch(name: str):
        def hook(layer: nn.Conv2d, arguments: tuple[Tensor], output: Tensor) -> None:
            places = torch.randperm(output[0, 0].numel(), generator=dice)[:PLACES]
            rows = sample(arguments[0], layer, places[None])[:, :-1]
            powers[name] = powers.get(name, 0) + rows.T @ rows

        return hook

    hooks = [layer.register_forward_hook(watch(name)) for name, layer in layers.items()]
    for picture in pictures:
        student(picture[None])
    for hook in hooks:
        hook.remove()
    return powers


def improve(model: Path, student: U2Net, pictures: Tensor) -> None:
    """Rounds the weights of an INT8 file anew; `pictures` are normalised ones of training, B x 3 x size x size."""
    loaded = onnx.load(model)
    tensors = {tensor.name: tensor for tensor in loaded.graph.initializer}
    named = {f"{PREFIX}{name}.weight": layer for name, layer in student.named_modules() if isinstance(layer, nn.Conv2d)}
    layers = {name: layer for name, layer in named.items() if f"{name}_quantized" in tensors}
    powers = input_powers(student, layers, pictures)
    for name, layer in layers.items():
        scale = torch.from_numpy(numpy_helper.to_array(tensors[f"{name}_scale"]).copy())
        steps = round_together(layer.weight.flatten(1), scale, powers[name])
        stored = tensors[f"{name}_quantized"]
        stored.CopyFrom(numpy_helper.from_array(steps.view(layer.weight.shape).numpy(), stored.name))
    onnx.save(loaded, model)
