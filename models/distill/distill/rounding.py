"""A student, the same in INT8 and pictures -> each weight's step in the INT8 file, chosen for the layer's answer.

The nearest step makes the error of the weight least, and what counts is the error of what the layer answers.
So a layer's inputs are taken one after the other, and the weights that are still to be rounded make up for what
rounding has changed so far, as far as their inputs go together with the rounded ones (Hassibi and Stork, "Second order
derivatives for network pruning", NIPS 1992; Frantar et al., "GPTQ", ICLR 2023).

Steps take 8 bits. On x86 processors with AVX2 and no VNNI the runtime adds the products of two neighbouring weights
in 16 bits, which hold 255 * 128: two neighbours of one sign come to 128 steps at most. Steps of 7 bits, the usual way
out, are half again as coarse. Neighbours are weights of two channels at one place of the kernel, or, from place to
place, of the last channel and the first.
"""

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto
from onnx.numpy_helper import from_array, to_array
from torch import Tensor, nn

from .network import U2Net
from .reconstruct import sample
from .weights import PREFIX

STEP_MAX = 127
PAIR_MAX = 128
BIAS_STEP_MAX = 2**30
DAMPING = 0.01
PLACES = 1024


def in_rows(weight: Tensor) -> Tensor:
    """The weights of a convolution, N x C x h x w -> N x K in the runtime's order, channels innermost."""
    return weight.permute(0, 2, 3, 1).flatten(1)


def scales(weight: Tensor) -> Tensor:
    """N x K weights -> the finest step for each row that keeps its weights and pairs of neighbours in bounds."""
    pairs = weight[:, 1:] + weight[:, :-1]
    pairs = torch.where(weight[:, 1:] * weight[:, :-1] > 0, pairs.abs(), 0)
    largest = pairs.amax(1) if pairs.numel() else torch.zeros(len(weight))
    return torch.maximum(weight.abs().amax(1) / STEP_MAX, largest / PAIR_MAX)


@torch.no_grad()
def round_together(weight: Tensor, scale: Tensor, power: Tensor) -> Tensor:
    """N x K weights with a scale for each row, and the K x K second moments of their inputs -> N x K steps."""
    weight, scale = weight.double().clone(), scale.double()
    # Of a layer that hears nothing every weight is as good as any.
    damping = (DAMPING * power.double().diagonal().mean()).clamp_min(torch.finfo(torch.float).tiny)
    damped = power.double() + damping * torch.eye(len(power), dtype=torch.double)
    spread = torch.linalg.cholesky(torch.cholesky_inverse(torch.linalg.cholesky(damped)), upper=True)
    steps = torch.empty_like(weight)
    neighbour = torch.zeros_like(scale)
    for column in range(len(power)):
        lowest = (-PAIR_MAX - neighbour.clamp_max(0)).clamp_min(-STEP_MAX)
        highest = (PAIR_MAX - neighbour.clamp_min(0)).clamp_max(STEP_MAX)
        neighbour = (weight[:, column] / scale).round().clamp(lowest, highest)
        steps[:, column] = neighbour
        error = (weight[:, column] - neighbour * scale) / spread[column, column]
        weight[:, column + 1 :] -= error[:, None] * spread[column, column + 1 :]
    return steps.to(torch.int8)


@torch.no_grad()
def input_powers(student: U2Net, layers: dict[str, nn.Conv2d], pictures: Tensor) -> dict[str, Tensor]:
    """For each layer the second moments of what the weights of a row see, from some places of each picture."""
    powers: dict[str, Tensor] = {}
    dice = torch.Generator().manual_seed(0)

    def watch(name: str):
        def hook(layer: nn.Conv2d, arguments: tuple[Tensor], output: Tensor) -> None:
            places = torch.randperm(output[0, 0].numel(), generator=dice)[:PLACES]
            patches = sample(arguments[0], layer, places[None])[:, :-1]
            rows = in_rows(patches.view(-1, *layer.weight.shape[1:]))
            powers[name] = powers.get(name, 0) + rows.T @ rows

        return hook

    hooks = [layer.register_forward_hook(watch(name)) for name, layer in layers.items()]
    for picture in pictures:
        student(picture[None])
    for hook in hooks:
        hook.remove()
    return powers


def improve(model: Path, student: U2Net, pictures: Tensor) -> None:
    """Rounds the weights of an INT8 file anew, and counts its biases in the new steps.

    `pictures` are normalised ones of training, B x 3 x size x size.
    """
    loaded = onnx.load(model)
    tensors = {tensor.name: tensor for tensor in loaded.graph.initializer}
    named = {f"{PREFIX}{name}.weight": layer for name, layer in student.named_modules() if isinstance(layer, nn.Conv2d)}
    layers = {name: layer for name, layer in named.items() if f"{name}_quantized" in tensors}
    powers = input_powers(student, layers, pictures)
    for name, layer in layers.items():
        bias = name.replace("weight", "bias")
        input_scale = to_array(tensors[f"{bias}_quantized_scale"]) / to_array(tensors[f"{name}_scale"])
        # A row of next to nothing still needs a step in which its bias can be counted.
        least = torch.from_numpy(np.abs(layer.bias.numpy()) / input_scale / BIAS_STEP_MAX)
        scale = torch.maximum(scales(in_rows(layer.weight)), least).clamp_min(torch.finfo(torch.float).tiny)
        steps = round_together(in_rows(layer.weight), scale, powers[name])
        channels_in, *kernel = layer.weight.shape[1:]
        put(tensors[f"{name}_quantized"], steps.view(-1, *kernel, channels_in).permute(0, 3, 1, 2).contiguous().numpy())
        put(tensors[f"{name}_scale"], scale.numpy())
        bias_scale = input_scale * scale.numpy()
        put(tensors[f"{bias}_quantized"], np.rint(layer.bias.numpy() / bias_scale).astype(np.int32))
        put(tensors[f"{bias}_quantized_scale"], bias_scale)
    onnx.save(loaded, model)


def put(tensor: TensorProto, values: np.ndarray) -> None:
    tensor.CopyFrom(from_array(values, tensor.name))
