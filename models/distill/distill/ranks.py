"""Teacher + a few dozen photos -> the ranks that each convolution of the student gets within a budget.

What ranks cost a convolution is the share of the teacher's responses that they lose: outside their first
principal components (Zhang, Zou, He & Sun, "Accelerating very deep convolutional networks", TPAMI 2016),
and outside the directions of the input that the kernel hears most. One price for multiply-adds and weights
goes up until both budgets are kept; at a price each convolution takes the ranks with the least sum of lost
share and cost.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor, nn

from .network import STAGES, Design, U2Net

STEP = 8
INWARD_STEP = 16
INWARD_CHANNELS_MIN = 128
INWARD_SIDE_MAX = 1 / 4
PLACES = 400


@dataclass(frozen=True)
class Heard:
    """The directions of an input's channels that a 3 x 3 kernel hears, most audible first.

    `inwards` (C x C) takes an input without its mean to them, each of variance 1; `outwards` (C x C) goes back;
    `energy` (C) is what the responses owe to each.
    """

    inwards: Tensor
    outwards: Tensor
    energy: Tensor


def heard(covariance: Tensor, kernel: Tensor) -> Heard:
    """From the covariance (C x C) of an input's channels and the weights (N x C x 3 x 3) that read it."""
    values, vectors = torch.linalg.eigh(covariance.double())
    values = values.clamp_min(1e-6 * values[-1].clamp_min(1e-12))
    root = vectors * values.sqrt() @ vectors.T
    inverse = vectors / values.sqrt() @ vectors.T
    taps = kernel.double().movedim(1, -1).flatten(0, 2)
    energy, directions = torch.linalg.eigh(root @ (taps.T @ taps) @ root)
    energy, directions = energy.flip(0).clamp_min(0), directions.flip(1)
    return Heard((directions.T @ inverse).float(), (root @ directions).float(), energy.float())


def lost_shares(energy: Tensor) -> Tensor:
    """The energy of C components, greatest first -> for each rank 0..C the share outside so many of them."""
    kept = torch.cat((torch.zeros(1, dtype=torch.float64), energy.double().cumsum(0)))
    return 1 - kept / kept[-1].clamp_min(1e-12)


def component_energy(responses: Tensor) -> Tensor:
    """N x C responses -> the energy of their principal components, greatest first."""
    centred = (responses - responses.mean(0)).double()
    return torch.linalg.eigvalsh(centred.T @ centred).flip(0).clamp_min(0)


@dataclass
class Layer:
    """One 3 x 3 convolution of the student at full rank.

    `lost` and `lost_inward` say for each rank behind and before the kernel what share of the teacher's
    responses it loses; `lost_inward` is None where nothing may stand before the kernel.
    """

    channels_in: int
    channels_out: int
    pixels: int
    lost: Tensor
    lost_inward: Tensor | None = None

    def weights(self, inward: int, outward: int) -> int:
        """With 0 for no 1 x 1 convolution on that side."""
        kernel = 9 * (inward or self.channels_in) * (outward or self.channels_out)
        return inward * self.channels_in + kernel + outward * self.channels_out

    @cached_property
    def choices(self) -> list[tuple[int, int]]:
        """The ranks that are cheaper than the whole convolution, and (0, 0) for that itself."""
        inward = range(0, self.channels_in if self.lost_inward is not None else 1, INWARD_STEP)
        pairs = [(i, o) for i in inward for o in range(0, self.channels_out, STEP)]
        return [pair for pair in pairs if pair == (0, 0) or self.weights(*pair) < 0.9 * self.weights(0, 0)]

    @cached_property
    def losses(self) -> np.ndarray:
        """Of each choice."""
        return np.array([
            (float(self.lost_inward[i]) if i else 0.0) + (float(self.lost[o]) if o else 0.0) for i, o in self.choices
        ])  # fmt: skip

    @cached_property
    def sizes(self) -> np.ndarray:
        """The weights of each choice."""
        return np.array([self.weights(*pair) for pair in self.choices])


def named_convolutions(network: U2Net) -> dict[str, nn.Conv2d]:
    """The 3 x 3 convolutions in the stages, by the names that a design's ranks use."""
    return {
        f"{stage}.{name}": module
        for stage in STAGES
        for name, module in network.stages[stage].named_modules()
        if isinstance(module, nn.Conv2d)
    }


def some_rows(x: Tensor) -> Tensor:
    """The channels at some places of 1 x C x h x w, as N x C."""
    rows = x.movedim(1, -1).flatten(0, 2)
    return rows[torch.randperm(len(rows))[:PLACES]]


@torch.no_grad()
def observe(teacher: U2Net, full: Design, pictures: Tensor) -> dict[str, Layer]:
    """Every convolution of `full`, a student's design without ranks, with the teacher's channels."""
    inputs: dict[str, list[Tensor]] = {}
    responses: dict[str, list[Tensor]] = {}
    pixels: dict[str, int] = {}

    def watch(name: str):
        def hook(_, arguments: tuple[Tensor], output: Tensor) -> None:
            inputs.setdefault(name, []).append(some_rows(arguments[0]))
            responses.setdefault(name, []).append(some_rows(output))

        return hook

    def measure(name: str):
        def hook(_, __, output: Tensor) -> None:
            pixels[name] = output.shape[2] * output.shape[3]

        return hook

    theirs, ours = named_convolutions(teacher), named_convolutions(student := U2Net(full))
    hooks = [module.register_forward_hook(watch(name)) for name, module in theirs.items()]
    for picture in pictures:
        teacher(picture[None])
    hooks += [module.register_forward_hook(measure(name)) for name, module in ours.items()]
    student(pictures[:1])
    for hook in hooks:
        hook.remove()
    layers = {}
    for name, module in ours.items():
        lost_inward = None
        if pixels[name] <= (INWARD_SIDE_MAX * full.size) ** 2 and module.in_channels >= INWARD_CHANNELS_MIN:
            seen = torch.cat(inputs[name])
            lost_inward = lost_shares(heard(seen.T.cov(), theirs[name].weight).energy)
        lost = lost_shares(component_energy(torch.cat(responses[name])))
        layers[name] = Layer(module.in_channels, module.out_channels, pixels[name], lost, lost_inward)
    return layers


def choose(layers: dict[str, Layer], macs_max: float, weights_max: float) -> dict[str, tuple[int, int]]:
    """Ranks before and behind each kernel within both budgets; a convolution that is not named stays whole."""

    def at(price: float) -> dict[str, int]:
        return {
            name: int(np.argmin(layer.losses + price * layer.sizes * (layer.pixels / macs_max + 1 / weights_max)))
            for name, layer in layers.items()
        }

    def fits(chosen: dict[str, int]) -> bool:
        sizes = {name: layer.sizes[chosen[name]] for name, layer in layers.items()}
        macs = sum(size * layers[name].pixels for name, size in sizes.items())
        return macs <= macs_max and sum(sizes.values()) <= weights_max

    low, high = 0.0, 1.0
    while not fits(at(high)):
        high *= 2
        if high > 1e9:
            raise ValueError("no ranks fit the budget: allow more multiply-adds or weights")
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if fits(at(middle)) else (middle, high)
    chosen = {name: layers[name].choices[number] for name, number in at(high).items()}
    return {name: ranks for name, ranks in chosen.items() if ranks != (0, 0)}
