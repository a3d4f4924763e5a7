"""Teacher + some photos -> a student that starts out near the teacher, without any training.

Layer by layer through the whole network every convolution gets the weights that, from the student's own
inputs, come nearest to the teacher's answers, or the best of its low rank. As a student's inputs already
carry the errors of the layers before, later layers learn to make up for them (Zhang et al., CVPR 2015).
Where teacher and student are both below zero the rectifier hides any difference, so that does not count.

The deep stages hold most weights and see few pixels of a picture: they need far more pictures than the
others, which could not be kept in memory at full resolution.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .loss import missed
from .network import STAGES, Block, LowRank, U2Net, at_resolution, pool, resize
from .ranks import heard

SAMPLES_PER_WEIGHT = 12
SAMPLES_MIN = 20_000
RECTIFIED_ROUNDS = 2
RIDGE = 1e-3
PART = 8
UPPER_ENCODER, LOWER_ENCODER = ("en1", "en2", "en3"), ("en4", "en5", "en6")
LOWER_DECODER, UPPER_DECODER = ("de5", "de4"), ("de3", "de2", "de1")
GROUP = 64


@dataclass
class Pair:
    """One tensor in both networks, N x C x h x w with the same channels, in half precision to save memory."""

    teacher: Tensor
    student: Tensor


def batched(function, *tensors: Tensor) -> Tensor:
    """What `function` makes of tensors of half precision, computed in parts in single precision."""
    whole = None
    for at in range(0, len(tensors[0]), PART):
        part = function(*(tensor[at : at + PART].float() for tensor in tensors))
        if whole is None:
            whole = torch.empty((len(tensors[0]), *part.shape[1:]), dtype=torch.half)
        whole[at : at + PART] = part
    return whole


def sample(x: Tensor, kernel: nn.Conv2d, places: Tensor) -> Tensor:
    """The patches that `kernel` sees at flat positions `places` of each picture, and a 1 for its bias."""
    width = kernel.weight[0].numel() + 1
    rows = torch.ones(places.numel(), width)
    for picture, place, part in zip(x, places, rows.split(places.shape[1])):
        columns = F.unfold(picture[None].float(), kernel.kernel_size, kernel.dilation, kernel.padding)[0]
        part[:, :-1] = columns[:, place].T
    return rows


def turned(basis: Tensor) -> Tensor:
    """Other directions of the same space, at random: each then carries as much as the next.

    One step of 8 bits must fit all channels of a tensor; of principal components the first sets a step in
    which the last ones drown. `basis` is C x n, of n directions.
    """
    turn, _ = torch.linalg.qr(torch.randn(basis.shape[1], basis.shape[1]))
    return basis @ turn


def hear(layer: LowRank, x: Tensor, prior: Tensor) -> Tensor:
    """Sets the convolution before the kernel; returns `prior` as a kernel that comes behind it."""
    inward = layer.before.out_channels
    places = x.shape[2] * x.shape[3]
    chosen = torch.randperm(len(x) * places)[: SAMPLES_MIN + 40 * x.shape[1]]
    rows = x.flatten(2)[chosen // places, :, chosen % places].float()
    directions = heard(rows.T.cov(), prior)
    turn = turned(torch.eye(inward))
    inwards = turn.T @ directions.inwards[:inward]
    layer.before.weight.data = inwards[:, :, None, None].contiguous()
    layer.before.bias.data = -(inwards @ rows.mean(0))
    outwards = directions.outwards[:, :inward] @ turn
    return torch.einsum("ochw,ci->oihw", prior, outwards)


def fit(layer: nn.Conv2d | LowRank, x: Tensor, target: Tensor, prior: Tensor | None, rectified: bool) -> None:
    """Least-squares weights for `layer`: from `x` (N x c x h x w) to `target` (N x C x h x w, before ReLU).

    What the pictures leave open is drawn towards `prior`, weights of one convolution, or to zero.
    """
    kernel = layer.kernel if isinstance(layer, LowRank) else layer
    if isinstance(layer, LowRank) and layer.before:
        prior = hear(layer, x, prior)
        x = batched(layer.before, x)
    pictures, _, height, width = target.shape
    samples = max(SAMPLES_MIN, SAMPLES_PER_WEIGHT * kernel.weight[0].numel())
    count = min(height * width, -(-samples // pictures))
    used = min(pictures, -(-samples // count))
    places = torch.stack([torch.randperm(height * width)[:count] for _ in range(used)])
    rows = sample(x[:used], kernel, places)
    wanted = torch.cat([t.flatten(1)[:, p].T.float() for t, p in zip(target, places)])
    start = torch.zeros(rows.shape[1], wanted.shape[1])
    if prior is not None:
        start[:-1] = prior.flatten(1).T
    gram = rows.T @ rows
    ridge = RIDGE * gram.diagonal().mean()
    factor = torch.linalg.cholesky(gram + ridge * torch.eye(len(gram)))
    behind = layer.behind if isinstance(layer, LowRank) else None

    def solve(wanted: Tensor) -> tuple[Tensor, Projection | None]:
        weights = torch.cholesky_solve(rows.T @ wanted + ridge * start, factor)
        return project(weights, rows, kernel.out_channels) if behind else (weights, None)

    weights, pair = solve(wanted)
    for _ in range(RECTIFIED_ROUNDS if rectified else 0):
        answer = rows @ weights
        hidden = (answer < 0) & (wanted < 0)
        weights, pair = solve(torch.where(hidden, answer, wanted))
    if pair:
        put(kernel, pair.inwards)
        put(behind, pair.outwards)
    else:
        put(kernel, weights)


def put(layer: nn.Conv2d, weights: Tensor) -> None:
    """Rows of weights, the last one the bias, into a convolution."""
    layer.weight.data = weights[:-1].T.reshape(layer.weight.shape).contiguous()
    layer.bias.data = weights[-1].contiguous()


@dataclass
class Projection:
    """A kernel and the convolution behind it, as `put` wants them."""

    inwards: Tensor
    outwards: Tensor


def project(weights: Tensor, rows: Tensor, rank: int) -> tuple[Tensor, Projection]:
    """Weights whose answers lie in the first `rank` principal components of the full ones, and them as a pair.

    That is reduced-rank regression (Izenman, 1975). The last row of `weights` is the bias. Between the two
    convolutions the components are turned at random, and their mean is 0.
    """
    answer = rows @ weights
    mean = answer.mean(0)
    _, vectors = torch.linalg.eigh((answer - mean).T @ (answer - mean))
    basis = turned(vectors[:, -rank:])
    inwards = weights @ basis
    inwards[-1] = -(rows[:, :-1].mean(0) @ inwards[:-1])
    outwards = torch.cat((basis.T, mean[None]))
    whole = inwards @ basis.T
    whole[-1] += mean
    return whole, Projection(inwards, outwards)


class Reconstruction:
    """Carries both networks forward together; each layer of the student is fitted when it is reached.

    Without `fitted` the layers are taken as they are.
    """

    def __init__(self, average: bool, fitted: bool = True):
        self.average, self.fitted = average, fitted

    def convolve(self, teacher: nn.Conv2d, student: nn.Conv2d | LowRank, x: Pair) -> Pair:
        answer = batched(teacher, x.teacher)
        if self.fitted:
            target = answer
            if answer.shape[2] != x.student.shape[2]:
                target = batched(lambda t, s: at_resolution(t, s, self.average), answer, x.student)
            prior = teacher.weight if student.in_channels == teacher.in_channels else None
            fit(student, x.student, target, prior, rectified=True)
            del target
        return Pair(answer.relu_(), batched(lambda s: F.relu(student(s)), x.student))

    def block(self, teacher: Block, student: Block, x: Pair) -> Pair:
        joined = x = self.convolve(teacher.join, student.join, x)
        skips = []
        for k, (t, s) in enumerate(zip(teacher.encoders, student.encoders)):
            pooled = batched(pool, x.teacher) if teacher.pools[k] else x.teacher
            x = self.convolve(t, s, Pair(pooled, batched(pool, x.student) if student.pools[k] else x.student))
            skips.append(x)
        x = self.convolve(teacher.bottom, student.bottom, x)
        for t, s, skip in zip(teacher.decoders, student.decoders, reversed(skips)):
            x = self.convolve(t, s, join(x, skip))
        return Pair(x.teacher + joined.teacher, x.student + joined.student)


def join(x: Pair, skip: Pair) -> Pair:
    def both(x: Tensor, skip: Tensor) -> Tensor:
        return torch.cat((resize(x, skip), skip), 1)

    return Pair(batched(both, x.teacher, skip.teacher), batched(both, x.student, skip.student))


class Passage:
    """A walk through the stages of both networks."""

    def __init__(self, teacher: U2Net, student: U2Net, report):
        self.teacher, self.student, self.report = teacher, student, report
        self.half = student.design.half_resolution

    def stage(self, name: str, x: Pair, fitted: bool = True) -> Pair:
        average = name.startswith("de")
        blocks = self.teacher.stages[name], self.student.stages[name]
        x = Reconstruction(average, fitted).block(*blocks, x)
        if fitted:
            some = slice(None, None, -(-len(x.student) // GROUP))
            teacher, student = x.teacher[some].float(), x.student[some].float()
            self.report(name, float(missed(student, at_resolution(teacher, student, average))))
        return x

    def smaller(self, x: Pair, before: str) -> Pair:
        """What the encoder's stage `before` sees of the answers of the one above it."""
        same = self.half and before == "en2"
        return Pair(batched(pool, x.teacher), x.student if same else batched(pool, x.student))

    def upper_encoder(self, pictures: Tensor, fitted: bool) -> list[Pair]:
        pictures = pictures.half()
        x = Pair(pictures, F.pixel_unshuffle(pictures, 2) if self.half else pictures)
        answers: list[Pair] = []
        for name in UPPER_ENCODER:
            x = self.stage(name, self.smaller(x, name) if answers else x, fitted)
            answers.append(x)
        return answers


@torch.no_grad()
def reconstruct(teacher: U2Net, student: U2Net, pictures: Tensor, upper: int, report=print) -> None:
    """Sets the weights of `student`.

    `pictures` are N normalised ones of the student's size. All of them go through the stages at 1/8 of the
    size and below, `upper` of them through the others. `report` is called with the name of each stage and what
    it misses of the teacher's energy.
    """
    walk = Passage(teacher, student, report)
    skips = walk.upper_encoder(pictures[:upper], fitted=True)
    seen = [walk.smaller(skips[-1], "en4")]
    for group in pictures[upper:].split(GROUP) if len(pictures) > upper else ():
        seen.append(walk.smaller(walk.upper_encoder(group, fitted=False)[-1], "en4"))
    x = Pair(torch.cat([pair.teacher for pair in seen]), torch.cat([pair.student for pair in seen]))
    del seen
    lower: list[Pair] = []
    for name in LOWER_ENCODER:
        x = walk.stage(name, walk.smaller(x, name) if lower else x)
        lower.append(x)
    maps = [lower.pop()]
    for name in LOWER_DECODER:
        maps.append(x := walk.stage(name, join(x, lower.pop())))
    maps = [Pair(x.teacher[:upper], x.student[:upper]) for x in maps]
    x = maps[-1]
    for name in UPPER_DECODER:
        maps.append(x := walk.stage(name, join(x, skips.pop())))
    for t, s, x in zip(teacher.sides, student.sides, reversed(maps)):
        target = batched(lambda a, b: at_resolution(t(a), b, average=True), x.teacher, x.student)
        fit(s, x.student, target, None, rectified=False)
    student.fuse.load_state_dict(teacher.fuse.state_dict())
