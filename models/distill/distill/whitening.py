"""A network + pictures -> the same network, whose convolutions are trained in whitened coordinates.

Behind a rectifier the channels share a large mean and vary together: a step of Adam, of one size for all
weights, then moves a layer's answer far along what all of its input has in common and hardly elsewhere, and
without normalisation every layer behind is moved with it. In coordinates in which the input's channels have
power 1 and no correlation, and an answer's size is 1, one step means the same everywhere (Desjardins et al.,
"Natural neural networks", NIPS 2015). What is computed stays the same.
"""

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from .ranks import some_rows
from .weights import convolutions

DAMPING = 0.01


class Whitened(nn.Module):
    """The trained coordinates, N x C x k x k -> the weights of a convolution."""

    def __init__(self, channels: int):
        super().__init__()
        self.register_buffer("whiten", torch.eye(channels))
        self.register_buffer("colour", torch.eye(channels))
        self.register_buffer("scale", torch.ones(()))

    def forward(self, coordinates: Tensor) -> Tensor:
        # In half precision a step of a small rate would be rounded away.
        with torch.autocast("cpu", enabled=False):
            return self.scale * torch.einsum("oikl,ic->ockl", coordinates, self.whiten)

    def right_inverse(self, weight: Tensor) -> Tensor:
        return torch.einsum("ockl,ci->oikl", weight, self.colour) / self.scale


class Scaled(nn.Module):
    """Biases in the size of the answer."""

    def __init__(self):
        super().__init__()
        self.register_buffer("scale", torch.ones(()))

    def forward(self, coordinates: Tensor) -> Tensor:
        return self.scale * coordinates

    def right_inverse(self, bias: Tensor) -> Tensor:
        return bias / self.scale


@torch.no_grad()
def whiten(network: nn.Module, pictures: Tensor | None) -> None:
    """Re-parametrises every convolution; without pictures a saved state is to follow, which says the coordinates."""
    layers = convolutions(network)
    seen = observe(network, layers, pictures) if pictures is not None else {}
    for layer in layers:
        weight, bias = Whitened(layer.in_channels), Scaled()
        if seen:
            power, size = seen[layer]
            damping = DAMPING * power.diagonal().mean()
            values, vectors = torch.linalg.eigh(power + damping * torch.eye(len(power)))
            weight.whiten.copy_(vectors / values.sqrt() @ vectors.T)
            weight.colour.copy_(vectors * values.sqrt() @ vectors.T)
            weight.scale.fill_(size / layer.weight[0].numel() ** 0.5)
            bias.scale.fill_(size)
        parametrize.register_parametrization(layer, "weight", weight)
        parametrize.register_parametrization(layer, "bias", bias)


def observe(network: nn.Module, layers: list[nn.Conv2d], pictures: Tensor) -> dict[nn.Conv2d, tuple[Tensor, float]]:
    """For each layer the second moments of its input's channels, C x C, and the RMS of its answer."""
    powers: dict[nn.Conv2d, Tensor] = {}
    squares: dict[nn.Conv2d, float] = {}

    def watch(layer: nn.Conv2d, arguments: tuple[Tensor], output: Tensor) -> None:
        rows = some_rows(arguments[0])
        powers[layer] = powers.get(layer, 0) + rows.T @ rows / len(rows) / len(pictures)
        squares[layer] = squares.get(layer, 0.0) + float(output.square().mean()) / len(pictures)

    hooks = [layer.register_forward_hook(watch) for layer in layers]
    for picture in pictures:
        network(picture[None])
    for hook in hooks:
        hook.remove()
    return {layer: (powers[layer], squares[layer] ** 0.5) for layer in layers}
