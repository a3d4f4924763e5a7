"""Teacher + a few dozen photos -> the rank that each convolution of the student gets within a budget.

What a rank costs a convolution is the energy of the teacher's responses outside their first principal
components (Zhang, Zou, He & Sun, "Accelerating very deep convolutional networks", TPAMI 2016). One price
for multiply-adds and weights goes up until both budgets are kept; at a price each convolution takes the
rank with the least sum of lost share and cost.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .network import STAGES, Design, U2Net

STEP = 8
PLACES = 400


@dataclass
class Layer:
    """One 3 x 3 convolution of the student at full rank, and what the teacher's responses hold."""

    channels_in: int
    channels_out: int
    pixels: int
    lost: Tensor

    def weights(self, rank: int | None) -> int:
        if rank is None:
            return 9 * self.channels_in * self.channels_out
        return rank * (9 * self.channels_in + self.channels_out)

    def choices(self) -> list[int | None]:
        """Ranks that are cheaper than no pair at all, and None for none."""
        ranks = range(STEP, self.channels_out, STEP)
        return [None, *(rank for rank in ranks if self.weights(rank) < 0.9 * self.weights(None))]

    def loss(self, rank: int | None) -> float:
        return 0.0 if rank is None else float(self.lost[rank])


def lost_shares(responses: Tensor) -> Tensor:
    """N x C responses -> for each rank 0..C the share of their variance outside so many components."""
    centred = (responses - responses.mean(0)).double()
    energy = torch.linalg.eigvalsh(centred.T @ centred).flip(0).clamp_min(0)
    kept = torch.cat((torch.zeros(1, dtype=energy.dtype), energy.cumsum(0)))
    return 1 - kept / kept[-1].clamp_min(1e-12)


def named_convolutions(network: U2Net) -> dict[str, nn.Conv2d]:
    """The 3 x 3 convolutions in the stages, by the names that a design's ranks use."""
    return {
        f"{stage}.{name}": module
        for stage in STAGES
        for name, module in network.stages[stage].named_modules()
        if isinstance(module, nn.Conv2d)
    }


@torch.no_grad()
def observe(teacher: U2Net, full: Design, pictures: Tensor) -> dict[str, Layer]:
    """Every convolution of `full`, a student's design without pairs, with the teacher's channels."""
    seen: dict[str, list[Tensor]] = {}
    pixels: dict[str, int] = {}

    def watch(name: str):
        def hook(_, __, output: Tensor) -> None:
            rows = output.movedim(1, -1).flatten(0, 2)
            seen.setdefault(name, []).append(rows[torch.randperm(len(rows))[:PLACES]])

        return hook

    def measure(name: str):
        def hook(_, __, output: Tensor) -> None:
            pixels[name] = output.shape[2] * output.shape[3]

        return hook

    hooks = [module.register_forward_hook(watch(name)) for name, module in named_convolutions(teacher).items()]
    for picture in pictures:
        teacher(picture[None])
    student = U2Net(full)
    convolutions = named_convolutions(student)
    hooks += [module.register_forward_hook(measure(name)) for name, module in convolutions.items()]
    student(pictures[:1])
    for hook in hooks:
        hook.remove()
    return {
        name: Layer(module.in_channels, module.out_channels, pixels[name], lost_shares(torch.cat(seen[name])))
        for name, module in convolutions.items()
    }


def choose(layers: dict[str, Layer], macs_max: float, weights_max: float) -> dict[str, int]:
    """Ranks within both budgets; a convolution that is not named stays whole."""

    def cost(layer: Layer, rank: int | None) -> float:
        weights = layer.weights(rank)
        return weights * layer.pixels / macs_max + weights / weights_max

    def at(price: float) -> dict[str, int | None]:
        return {
            name: min(layer.choices(), key=lambda rank: layer.loss(rank) + price * cost(layer, rank))
            for name, layer in layers.items()
        }

    def fits(ranks: dict[str, int | None]) -> bool:
        weights = {name: layer.weights(ranks[name]) for name, layer in layers.items()}
        macs = sum(weights[name] * layer.pixels for name, layer in layers.items())
        return macs <= macs_max and sum(weights.values()) <= weights_max

    low, high = 0.0, 1.0
    while not fits(at(high)):
        high *= 2
        if high > 1e9:
            raise ValueError("no ranks fit the budget: allow more multiply-adds or weights")
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if fits(at(middle)) else (middle, high)
    return {name: rank for name, rank in at(high).items() if rank}
