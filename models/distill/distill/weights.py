"""An ONNX file, the teacher's or a student's -> the same network in torch."""

import json
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn

from .network import TEACHER, Design, U2Net

DESIGN = "design"
PREFIX = "network."


def convolutions(network: nn.Module) -> list[nn.Conv2d]:
    """Every convolution in the order in which it runs, which is the order of an exported graph."""
    return [module for module in network.modules() if isinstance(module, nn.Conv2d)]


def load_teacher(path: Path) -> U2Net:
    """Reads the weights of U²-Net, whose tensors have no telling names.

    Raises ValueError if the file holds another network, or one whose normalisation is not folded into its
    convolutions.
    """
    graph = onnx.load(path).graph
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    nodes = [node for node in graph.node if node.op_type == "Conv"]
    network = U2Net(TEACHER)
    layers = convolutions(network)
    if len(nodes) != len(layers):
        raise ValueError(f"{path} has {len(nodes)} convolutions, not {len(layers)}; is it another model?")
    for node, layer in zip(nodes, layers):
        for parameter, name in zip((layer.weight, layer.bias), node.input[1:], strict=True):
            values = torch.from_numpy(numpy_helper.to_array(tensors[name]).copy())
            if values.shape != parameter.shape:
                raise ValueError(f"{path}: {node.name} is {tuple(values.shape)}, not {tuple(parameter.shape)}")
            parameter.data = values
    return network.eval().requires_grad_(False)


def load_student(path: Path) -> U2Net:
    """Reads a student that `export` or `quantise` wrote; of a quantised one, the weights that its integers stand for.

    Raises ValueError if the file is no student, or lacks a weight.
    """
    model = onnx.load(path)
    properties = {entry.key: entry.value for entry in model.metadata_props}
    if DESIGN not in properties:
        raise ValueError(f"{path} is no student: its metadata hold no {DESIGN!r}")
    network = U2Net(Design.from_dict(json.loads(properties[DESIGN])))
    tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    for name, parameter in network.named_parameters():
        values = torch.from_numpy(tensor_named(PREFIX + name, tensors, path).astype(np.float32))
        if values.shape != parameter.shape:
            raise ValueError(f"{path}: {name} is {tuple(values.shape)}, not {tuple(parameter.shape)}")
        parameter.data = values
    return network.eval().requires_grad_(False)


def tensor_named(name: str, tensors: dict[str, np.ndarray], path: Path) -> np.ndarray:
    if name in tensors:
        return tensors[name]
    if f"{name}_quantized" not in tensors:
        raise ValueError(f"{path} has no weight {name}")
    steps = tensors[f"{name}_quantized"].astype(np.float32)
    scale = tensors[f"{name}_scale" if f"{name}_scale" in tensors else f"{name}_quantized_scale"]
    return steps * scale.reshape(-1, *[1] * (steps.ndim - 1))
