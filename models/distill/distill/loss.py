"""Logits, the teacher's map and the true alpha -> the loss of distillation (Hinton et al., 2015).

loss = alpha * hard + (1 - alpha) * soft, both means over pixels:
- hard: |sigmoid(z) - truth|, where truth is the true alpha or, for a photo that has none, the teacher's map;
- soft: T^2 * KL(teacher at temperature T || student at temperature T), a pixel being a choice of two.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .network import resize

CERTAIN = 1 / 512


@dataclass(frozen=True)
class LossWeights:
    """`alpha`: the share of the hard term; `sides`: of each side map against the fused one."""

    alpha: float
    temperature: float
    sides: float


def soft_loss(logits: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """T² · KL for each pixel; `teacher` is an opacity 0..1 at temperature 1."""
    target = torch.logit(teacher, CERTAIN) / temperature
    student = logits / temperature
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
    (B x 1 x H x W, 0..1), the side maps at their own.
    """

    def judge(logits: Tensor, teacher: Tensor, truth: Tensor) -> Tensor:
        soft = soft_loss(logits, teacher, weights.temperature).mean()
        hard = hard_loss(logits, truth).mean()
        return weights.alpha * hard + (1 - weights.alpha) * soft

    fused, *sides = maps
    total = judge(resize(fused, teacher), teacher, truth)
    if sides:
        small = [F.interpolate(t, size=sides[0].shape[2:], mode="area") for t in (teacher, truth)]
        total = total + weights.sides * sum(judge(side, *small) for side in sides)
    return total
