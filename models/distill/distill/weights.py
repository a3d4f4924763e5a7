"""A float U²-Net as ONNX, the teacher or a student -> the same network in torch."""

from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from torch import nn

from .network import TEACHER, Design, U2Net


def convolutions(network: nn.Module) -> list[nn.Conv2d]:
    """Every convolution in the order in which it runs, which is the order of an exported graph."""
    return [module for module in network.modules() if isinstance(module, nn.Conv2d)]


def load(path: Path, design: Design = TEACHER) -> U2Net:
    """Reads the weights of a network of this design.

    Raises ValueError if the file holds another one, or one whose normalisation is not folded into its
    convolutions.
    """
    graph = onnx.load(path).graph
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    nodes = [node for node in graph.node if node.op_type == "Conv"]
    network = U2Net(design)
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
