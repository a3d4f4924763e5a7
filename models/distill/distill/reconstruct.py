"""Teacher + some photos -> a student that starts out near the teacher, without any training.

Layer by layer through the whole network every convolution gets the weights that, from the student's own
inputs, come nearest to the teacher's answers, or the best of its low rank. As a student's inputs already
carry the errors of the layers before, later layers learn to make up for them (Zhang et al., CVPR 2015).
Where teacher and student are both below zero the rectifier hides any difference, so that does not count.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .loss import missed
from .network import STAGES, Block, LowRank, U2Net, at_resolution, pool, resize

SAMPLES_PER_WEIGHT = 3
SAMPLES_MIN = 10_000
RECTIFIED_ROUNDS = 2
RIDGE = 1e-3


@dataclass
class Pair:
    """One tensor in both networks, N x C x h x w with the same channels."""

    teacher: Tensor
    student: Tensor


def sample(x: Tensor, layer: nn.Conv2d, places: Tensor) -> Tensor:
    """The patches that `layer` sees at flat positions `places` of each picture, and a 1 for its bias."""
    patches = []
    for picture, place in zip(x, places):
        columns = F.unfold(picture[None], layer.kernel_size, layer.dilation, layer.padding)[0]
        patches.append(columns[:, place].T)
    rows = torch.cat(patches)
    return torch.cat((rows, torch.ones(len(rows), 1)), 1)


def fit(layer: nn.Conv2d | LowRank, x: Tensor, target: Tensor, prior: Tensor | None, rectified: bool) -> None:
    """Least-squares weights for `layer`: from `x` (N x c x h x w) to `target` (N x C x h x w, before ReLU).

    What the pictures leave open is drawn towards `prior`, weights of one convolution, or to zero.
    """
    first = layer[0] if isinstance(layer, LowRank) else layer
    pictures, _, height, width = target.shape
    samples = max(SAMPLES_MIN, SAMPLES_PER_WEIGHT * first.weight[0].numel())
    count = min(height * width, -(-samples // pictures))
    places = torch.stack([torch.randperm(height * width)[:count] for _ in range(pictures)])
    rows = sample(x, first, places)
    wanted = torch.cat([t.flatten(1)[:, p].T for t, p in zip(target, places)])
    start = torch.zeros(rows.shape[1], wanted.shape[1])
    if prior is not None:
        start[:-1] = prior.flatten(1).T
    gram = rows.T @ rows
    ridge = RIDGE * gram.diagonal().mean()
    factor = torch.linalg.cholesky(gram + ridge * torch.eye(len(gram)))

    def solve(wanted: Tensor) -> tuple[Tensor, Projection | None]:
        weights = torch.cholesky_solve(rows.T @ wanted + ridge * start, factor)
        return project(weights, rows, layer[0].out_channels) if isinstance(layer, LowRank) else (weights, None)

    weights, pair = solve(wanted)
    for _ in range(RECTIFIED_ROUNDS if rectified else 0):
        answer = rows @ weights
        hidden = (answer < 0) & (wanted < 0)
        weights, pair = solve(torch.where(hidden, answer, wanted))
    if pair:
        put(layer[0], pair.inwards)
        put(layer[1], pair.outwards)
    else:
        put(layer, weights)


def put(layer: nn.Conv2d, weights: Tensor) -> None:
    """Rows of weights, the last one the bias, into a convolution."""
    layer.weight.data = weights[:-1].T.reshape(layer.weight.shape).contiguous()
    layer.bias.data = weights[-1].contiguous()


@dataclass
class Projection:
    """The two convolutions of a pair, as `put` wants them."""

    inwards: Tensor
    outwards: Tensor


def project(weights: Tensor, rows: Tensor, rank: int) -> tuple[Tensor, Projection]:
    """Weights whose answers lie in the first `rank` principal components of the full ones, and them as a pair.

    That is reduced-rank regression (Izenman, 1975). The last row of `weights` is the bias. Between the two
    convolutions the components are turned at random, and their mean is 0: each channel there then carries
    as much as the next, and one step of 8 bits fits them all. Unturned, the first component sets a step in
    which the last ones drown.
    """
    answer = rows @ weights
    mean = answer.mean(0)
    _, vectors = torch.linalg.eigh((answer - mean).T @ (answer - mean))
    turn, _ = torch.linalg.qr(torch.randn(rank, rank))
    basis = vectors[:, -rank:] @ turn
    inwards = weights @ basis
    inwards[-1] = -(rows[:, :-1].mean(0) @ inwards[:-1])
    outwards = torch.cat((basis.T, mean[None]))
    whole = inwards @ basis.T
    whole[-1] += mean
    return whole, Projection(inwards, outwards)


def batched(layer: nn.Module, x: Tensor) -> Tensor:
    return torch.cat([layer(part) for part in x.split(8)])


class Reconstruction:
    """Carries both networks forward together, layer by layer."""

    def __init__(self, average: bool):
        self.average = average

    def convolve(self, teacher: nn.Conv2d, student: nn.Conv2d | LowRank, x: Pair) -> Pair:
        answer = batched(teacher, x.teacher)
        prior = teacher.weight if student.in_channels == teacher.in_channels else None
        fit(student, x.student, at_resolution(answer, x.student, self.average), prior, rectified=True)
        return Pair(F.relu(answer), F.relu(batched(student, x.student)))

    def block(self, teacher: Block, student: Block, x: Pair) -> Pair:
        joined = x = self.convolve(teacher.join, student.join, x)
        skips = []
        for k, (t, s) in enumerate(zip(teacher.encoders, student.encoders)):
            pooled = pool(x.teacher) if teacher.pools[k] else x.teacher
            x = self.convolve(t, s, Pair(pooled, pool(x.student) if student.pools[k] else x.student))
            skips.append(x)
        x = self.convolve(teacher.bottom, student.bottom, x)
        for t, s, skip in zip(teacher.decoders, student.decoders, reversed(skips)):
            x = self.convolve(t, s, join(x, skip))
        return Pair(x.teacher + joined.teacher, x.student + joined.student)


def join(x: Pair, skip: Pair) -> Pair:
    return Pair(
        torch.cat((resize(x.teacher, skip.teacher), skip.teacher), 1),
        torch.cat((resize(x.student, skip.student), skip.student), 1),
    )


@torch.no_grad()
def reconstruct(teacher: U2Net, student: U2Net, pictures: Tensor, report=print) -> None:
    """Sets the weights of `student`; `pictures` are N normalised ones of the student's size."""
    half = student.design.half_resolution
    x = Pair(pictures, F.pixel_unshuffle(pictures, 2) if half else pictures)
    skips: list[Pair] = []
    for stage in STAGES[:6]:
        if skips:
            x = Pair(pool(x.teacher), x.student if half and stage == "en2" else pool(x.student))
        x = Reconstruction(average=False).block(teacher.stages[stage], student.stages[stage], x)
        report(stage, float(missed(x.student, at_resolution(x.teacher, x.student, average=False))))
        skips.append(x)
    maps = [x]
    for stage, skip in zip(STAGES[6:], skips[-2::-1]):
        x = Reconstruction(average=True).block(teacher.stages[stage], student.stages[stage], join(x, skip))
        report(stage, float(missed(x.student, at_resolution(x.teacher, x.student, average=True))))
        maps.append(x)
    for t, s, x in zip(teacher.sides, student.sides, reversed(maps)):
        target = at_resolution(batched(t, x.teacher), x.student, average=True)
        fit(s, x.student, target, None, rectified=False)
    student.fuse.load_state_dict(teacher.fuse.state_dict())
