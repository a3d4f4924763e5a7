"""Logits, the teacher's map and the true alpha -> the loss of distillation (Hinton et al., 2015).

loss = mean over pictures of LEVEL * log(1 + error / FLOOR) + hints, where a picture's error is
alpha * hard + (1 - alpha) * soft, both means over its pixels:
- hard: |sigmoid(z) - truth|, where truth is the true alpha or, for a photo that has none, the teacher's map;
- soft: T^2 * KL(teacher at temperature T || student at temperature T), a pixel being a choice of two;
- hints: how far each stage's answer is from the teacher's (FitNets, Romero et al., ICLR 2015). One number a
  pixel says little; the hundreds of channels of a stage say at once what each layer should have done.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .network import at_resolution, resize

CERTAIN = 1 / 512
NEARLY = 0.999
# The error of a picture from which on less counts little more, and the usual one, where the loss grows about as the error does.
FLOOR = 0.003
LEVEL = 0.02


@dataclass(frozen=True)
class LossWeights:
    """`alpha`: the share of the hard term; `sides`: of each side map against the fused one."""

    alpha: float
    temperature: float
    sides: float


def soft_loss(logits: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """T² · KL for each pixel; `teacher` is an opacity 0..1 at temperature 1.

    Beyond `CERTAIN`, half a step of 8 bits, all opacities are the same: where the teacher is, a student that is
    there too is right, however far.
    """
    target = torch.logit(teacher, CERTAIN)
    bound = math.log((1 - CERTAIN) / CERTAIN)
    student = torch.where(target <= NEARLY * -bound, logits.clamp_min(-bound), logits)
    student = torch.where(target >= NEARLY * bound, logits.clamp_max(bound), student)
    student, target = student / temperature, target / temperature
    p = torch.sigmoid(target)
    on = p * (F.logsigmoid(target) - F.logsigmoid(student))
    off = (1 - p) * (F.logsigmoid(-target) - F.logsigmoid(-student))
    return temperature**2 * (on + off)


def hard_loss(logits: Tensor, truth: Tensor) -> Tensor:
    """Absolute difference of opacity for each pixel."""
    return (torch.sigmoid(logits) - truth).abs()


def distillation_loss(maps: list[Tensor], teacher: Tensor, truth: Tensor, weights: LossWeights) -> Tensor:
    """The loss of one batch.

    `maps` are B x 1 x h x w logits, the fused one first; it is judged at the size of `teacher` and `truth`
    (A x 1 x H x W and B x 1 x H x W, 0..1), the side maps at their own. The teacher speaks about the first A
    pictures; of the others the hard term counts alone.
    """

    def judge(logits: Tensor, teacher: Tensor, truth: Tensor) -> Tensor:
        each = hard_loss(logits, truth).mean((1, 2, 3))
        if taught := len(teacher):
            soft = soft_loss(logits[:taught], teacher, weights.temperature).mean((1, 2, 3))
            each = torch.cat((weights.alpha * each[:taught] + (1 - weights.alpha) * soft, each[taught:]))
        return even(each).mean()

    fused, *sides = maps
    total = judge(resize(fused, truth), teacher, truth)
    if sides:
        small = [F.interpolate(t, size=sides[0].shape[2:], mode="area") if len(t) else t for t in (teacher, truth)]
        total = total + weights.sides * sum(judge(side, *small) for side in sides)
    return total


def even(errors: Tensor) -> Tensor:
    """The pictures' mean errors, evened so that an easy picture's outline counts beside a hard one's lost object.

    What is asked for in dB is a mean of logarithms; a mean of the errors is made by the few pictures that go wrong.
    """
    return LEVEL * torch.log1p(errors / FLOOR)


def missed(ours: Tensor, theirs: Tensor) -> Tensor:
    """Energy of the difference over the energy of the teacher's answer."""
    ours, theirs = ours.float(), theirs.float()
    return (ours - theirs).square().sum() / theirs.square().sum()


def hint_loss(features: list[Tensor], teacher: list[Tensor]) -> Tensor:
    """The mean over stages of what a student's answers, B x C x h x w, miss of the teacher's.

    The first half of the list is the encoder.
    """
    losses = []
    for number, (ours, theirs) in enumerate(zip(features, teacher, strict=True)):
        losses.append(missed(ours, at_resolution(theirs, ours, average=number >= len(features) // 2)))
    return torch.stack(losses).mean()
