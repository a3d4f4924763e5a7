"""Teacher + a few dozen photos -> a student that starts out near the teacher, without any training.

Channel pruning by reconstruction (He, Zhang & Sun, ICCV 2017), through the whole network: of each tensor
keep the channels that span the others best (pivoted Cholesky of their Gram matrix), then give every
convolution the weights that, from the student's own inputs, come nearest to the teacher's answers in
those channels. As a student's inputs already carry the errors of the layers before, later layers learn to
make up for them (Zhang et al., CVPR 2015). Where teacher and student are both below zero the rectifier
hides any difference, so that does not count.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .network import STAGES, Block, U2Net, pool, resize

SAMPLES_PER_WEIGHT = 5
SAMPLES_MIN = 10_000
RECTIFIED_ROUNDS = 2
RIDGE = 1e-3


@dataclass
class Pair:
    """One tensor in both networks: the student's channels are the teacher's `kept`."""

    teacher: Tensor
    student: Tensor
    kept: Tensor


def spanning_channels(x: Tensor, count: int) -> Tensor:
    """Which `count` channels of N x C x H x W explain the others best, in ascending order."""
    rows = x.transpose(0, 1).flatten(1).double()
    gram = rows @ rows.T
    kept = []
    for _ in range(min(count, len(gram))):
        rest = gram.diagonal().clone()
        rest[kept] = -1
        best = int(rest.argmax())
        kept.append(best)
        column = gram[:, best] / gram[best, best].clamp_min(1e-12).sqrt()
        gram = gram - column[:, None] * column[None, :]
    return torch.tensor(sorted(kept))


def sample(x: Tensor, layer: nn.Conv2d, places: Tensor) -> Tensor:
    """The patches that `layer` sees at flat positions `places` of each picture, and a 1 for its bias."""
    patches = []
    for picture, place in zip(x, places):
        columns = F.unfold(picture[None], layer.kernel_size, layer.dilation, layer.padding)[0]
        patches.append(columns[:, place].T)
    rows = torch.cat(patches)
    return torch.cat((rows, torch.ones(len(rows), 1)), 1)


def fit(layer: nn.Conv2d, x: Tensor, target: Tensor, prior: Tensor | None, rectified: bool) -> None:
    """Least-squares weights for `layer`: from `x` (N x c x h x w) to `target` (N x C x h x w, before ReLU).

    What the pictures leave open is drawn towards `prior`, weights of the layer's own shape, or to zero.
    """
    pictures, _, height, width = target.shape
    samples = max(SAMPLES_MIN, SAMPLES_PER_WEIGHT * layer.weight[0].numel())
    count = min(height * width, -(-samples // pictures))
    places = torch.stack([torch.randperm(height * width)[:count] for _ in range(pictures)])
    rows = sample(x, layer, places)
    wanted = torch.cat([t.flatten(1)[:, p].T for t, p in zip(target, places)])
    start = torch.zeros(rows.shape[1], wanted.shape[1])
    if prior is not None:
        start[:-1] = prior.flatten(1).T
    gram = rows.T @ rows
    ridge = RIDGE * gram.diagonal().mean()
    factor = torch.linalg.cholesky(gram + ridge * torch.eye(len(gram)))
    weights = torch.cholesky_solve(rows.T @ wanted + ridge * start, factor)
    for _ in range(RECTIFIED_ROUNDS if rectified else 0):
        answer = rows @ weights
        hidden = (answer < 0) & (wanted < 0)
        weights = torch.cholesky_solve(rows.T @ torch.where(hidden, answer, wanted) + ridge * start, factor)
    layer.weight.data = weights[:-1].T.reshape(layer.weight.shape).contiguous()
    layer.bias.data = weights[-1].contiguous()


def batched(layer: nn.Module, x: Tensor) -> Tensor:
    return torch.cat([layer(part) for part in x.split(8)])


class Pruning:
    """Carries both networks forward together, layer by layer."""

    def __init__(self, average: bool):
        self.average = average

    def shrink(self, x: Tensor, like: Tensor) -> Tensor:
        """A teacher's tensor at the student's resolution."""
        if x.shape[2] == like.shape[2]:
            return x
        return F.avg_pool2d(x, 2) if self.average else F.max_pool2d(x, 2)

    def convolve(self, teacher: nn.Conv2d, student: nn.Conv2d, x: Pair, kept: Tensor | None) -> Pair:
        answer = batched(teacher, x.teacher)
        output = self.shrink(answer, x.student)
        if kept is None:
            kept = spanning_channels(F.relu(output), student.out_channels)
        prior = None
        if len(x.kept) == student.in_channels:
            prior = teacher.weight[kept][:, x.kept]
        fit(student, x.student, output[:, kept], prior, rectified=True)
        return Pair(F.relu(answer), F.relu(batched(student, x.student)), kept)

    def block(self, teacher: Block, student: Block, x: Pair) -> Pair:
        whole = self.shrink(batched(teacher, x.teacher), x.student)
        kept = spanning_channels(whole, student.join.out_channels)
        joined = x = self.convolve(teacher.join, student.join, x, kept)
        skips = []
        for k, (t, s) in enumerate(zip(teacher.encoders, student.encoders)):
            x = Pair(
                pool(x.teacher) if teacher.pools[k] else x.teacher,
                pool(x.student) if student.pools[k] else x.student,
                x.kept,
            )
            x = self.convolve(t, s, x, None)
            skips.append(x)
        x = self.convolve(teacher.bottom, student.bottom, x, None)
        for k, (t, s, skip) in enumerate(zip(teacher.decoders, student.decoders, reversed(skips))):
            last = k == len(skips) - 1
            x = self.convolve(t, s, join(x, skip), kept if last else None)
        return Pair(x.teacher + joined.teacher, x.student + joined.student, kept)


def join(x: Pair, skip: Pair) -> Pair:
    return Pair(
        torch.cat((resize(x.teacher, skip.teacher), skip.teacher), 1),
        torch.cat((resize(x.student, skip.student), skip.student), 1),
        torch.cat((x.kept, skip.kept + x.teacher.shape[1])),
    )


@torch.no_grad()
def prune(teacher: U2Net, student: U2Net, pictures: Tensor, report=print) -> None:
    """Sets the weights of `student`; `pictures` are N normalised ones of the student's size."""
    half = student.design.half_resolution
    seen = F.pixel_unshuffle(pictures, 2) if half else pictures
    x = Pair(pictures, seen, torch.arange(3))
    skips: list[Pair] = []
    for stage in STAGES[:6]:
        if skips:
            student_pools = not (half and stage == "en2")
            x = Pair(pool(x.teacher), pool(x.student) if student_pools else x.student, x.kept)
        x = Pruning(average=False).block(teacher.stages[stage], student.stages[stage], x)
        report(stage, relative_error(x))
        skips.append(x)
    maps = [x]
    for stage, skip in zip(STAGES[6:], skips[-2::-1]):
        x = Pruning(average=True).block(teacher.stages[stage], student.stages[stage], join(x, skip))
        report(stage, relative_error(x))
        maps.append(x)
    for t, s, x in zip(teacher.sides, student.sides, reversed(maps)):
        target = batched(t, x.teacher)
        if target.shape[2] != x.student.shape[2]:
            target = F.avg_pool2d(target, 2)
        fit(s, x.student, target, None, rectified=False)
    student.fuse.load_state_dict(teacher.fuse.state_dict())


def relative_error(x: Pair) -> float:
    """Energy of the difference over the energy of the teacher's answer, in the kept channels."""
    answer = x.teacher[:, x.kept]
    if answer.shape[2] != x.student.shape[2]:
        answer = F.avg_pool2d(answer, 2)
    return float((x.student - answer).square().sum() / answer.square().sum())
