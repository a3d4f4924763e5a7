"""Widths -> U²-Net (Qin et al., Pattern Recognition 2020), the teacher's layout or the student's.

Batch normalisation is folded into the convolutions, as in the teacher's ONNX file. The student differs in
three ways: convolutions of low rank, and, both found with the runtime's profiler, a first and a last stage
at half resolution (a third of the teacher's time goes into full resolution) and side outputs that are
1 x 1 convolutions.
"""

from dataclasses import asdict, dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

STAGES = ("en1", "en2", "en3", "en4", "en5", "en6", "de5", "de4", "de3", "de2", "de1")
DEPTHS = {"en1": 7, "en2": 6, "en3": 5, "en4": 4, "de4": 4, "de3": 5, "de2": 6, "de1": 7}
TEACHER_WIDTHS = {
    "en1": (32, 64), "en2": (32, 128), "en3": (64, 256), "en4": (128, 512), "en5": (256, 512),
    "en6": (256, 512), "de5": (256, 512), "de4": (128, 256), "de3": (64, 128), "de2": (32, 64),
    "de1": (16, 64),
}  # fmt: skip


@dataclass(frozen=True)
class Design:
    """What makes a U²-Net: channels inside and behind each stage, and where it works.

    `ranks` names the convolutions ("en2.encoders.0") that are of low rank, with their channels before and
    behind the 3 x 3 kernel; 0 where there is nothing before or behind it.
    """

    widths: dict[str, tuple[int, int]]
    size: int
    half_resolution: bool
    side_kernel: int
    ranks: dict[str, tuple[int, int]] = field(default_factory=dict)

    def to_dict(self) -> dict:
        return asdict(self)

    @staticmethod
    def from_dict(values: dict) -> "Design":
        widths = {stage: tuple(pair) for stage, pair in values["widths"].items()}
        ranks = {name: tuple(pair) for name, pair in values["ranks"].items()}
        return Design(**{**values, "widths": widths, "ranks": ranks})


TEACHER = Design(TEACHER_WIDTHS, 320, half_resolution=False, side_kernel=3)


def student(size: int, ranks: dict[str, tuple[int, int]] | None = None) -> Design:
    """A student with the teacher's channels."""
    return Design(TEACHER_WIDTHS, size, half_resolution=True, side_kernel=1, ranks=ranks or {})


def pool(x: Tensor) -> Tensor:
    return F.max_pool2d(x, 2, 2, ceil_mode=True)


def resize(x: Tensor, like: Tensor) -> Tensor:
    if x.shape[2:] == like.shape[2:]:
        return x
    return F.interpolate(x, size=like.shape[2:], mode="bilinear", align_corners=False)


def at_resolution(x: Tensor, like: Tensor, average: bool) -> Tensor:
    """A teacher's tensor at the student's resolution.

    Where it has twice that it is pooled: by the mean in the decoder, in the encoder by the maximum, as the
    next stage sees it.
    """
    if x.shape[2] == like.shape[2]:
        return x
    return F.avg_pool2d(x, 2) if average else F.max_pool2d(x, 2)


class LowRank(nn.Module):
    """1 x 1 to `inward` channels, 3 x 3 to `outward`, 1 x 1 to all: in sum a 3 x 3 convolution of low rank.

    Where `inward` or `outward` is 0 the 1 x 1 convolution on that side is missing (Kim et al., "Compression of
    deep convolutional neural networks for fast and low power mobile applications", ICLR 2016).
    """

    def __init__(self, channels_in: int, channels_out: int, dilation: int, inward: int, outward: int):
        super().__init__()
        self.in_channels, self.out_channels = channels_in, channels_out
        self.before = nn.Conv2d(channels_in, inward, 1) if inward else None
        self.kernel = nn.Conv2d(
            inward or channels_in, outward or channels_out, 3, padding=dilation, dilation=dilation
        )
        self.behind = nn.Conv2d(outward, channels_out, 1) if outward else None

    def forward(self, x: Tensor) -> Tensor:
        x = self.kernel(self.before(x) if self.before else x)
        return self.behind(x) if self.behind else x


def conv(channels_in: int, channels_out: int, dilation: int, ranks: tuple[int, int] | None) -> nn.Conv2d | LowRank:
    if ranks:
        return LowRank(channels_in, channels_out, dilation, *ranks)
    return nn.Conv2d(channels_in, channels_out, 3, padding=dilation, dilation=dilation)


class Block(nn.Module):
    """A residual U-block: `inside` is a small U-Net around `dilations` of its own.

    `pools[k]` says whether encoder k works on a pooled picture; `join` is the first convolution; `ranks`
    are those of its convolutions, by their names in the block.
    """

    def __init__(
        self, channels_in: int, width: int, channels_out: int, pools: list[bool], flat: bool,
        ranks: dict[str, tuple[int, int]],
    ):  # fmt: skip
        super().__init__()
        depth = len(pools)
        dilations = [2**k for k in range(depth + 1)] if flat else [1] * depth + [2]
        self.pools = pools
        self.join = conv(channels_in, channels_out, 1, ranks.get("join"))
        self.encoders = nn.ModuleList(
            conv(width if k else channels_out, width, dilations[k], ranks.get(f"encoders.{k}")) for k in range(depth)
        )
        self.bottom = conv(width, width, dilations[depth], ranks.get("bottom"))
        self.decoders = nn.ModuleList(
            conv(2 * width, width if k else channels_out, dilations[k], ranks.get(f"decoders.{depth - 1 - k}"))
            for k in reversed(range(depth))
        )

    def forward(self, x: Tensor) -> Tensor:
        joined = x = F.relu(self.join(x))
        skips = []
        for pooled, encoder in zip(self.pools, self.encoders):
            x = F.relu(encoder(pool(x) if pooled else x))
            skips.append(x)
        x = F.relu(self.bottom(x))
        for skip, decoder in zip(reversed(skips), self.decoders):
            x = F.relu(decoder(torch.cat((resize(x, skip), skip), 1)))
        return x + joined


class U2Net(nn.Module):
    """A normalised picture, B x 3 x size x size -> seven maps of logits, the fused one first.

    The teacher's maps are size x size; the student's are half that.
    """

    def __init__(self, design: Design):
        super().__init__()
        self.design = design
        inputs = {"en1": 12 if design.half_resolution else 3}
        for before, stage in zip(STAGES, STAGES[1:]):
            inputs[stage] = design.widths[before][1]
            if stage.startswith("de"):
                inputs[stage] += design.widths[stage.replace("de", "en")][1]
        self.stages = nn.ModuleDict()
        for stage in STAGES:
            flat = stage in ("en5", "en6", "de5")
            pools = [False] * 3 if flat else [False] + [True] * (DEPTHS[stage] - 2)
            if design.half_resolution and stage in ("en1", "de1"):
                pools[1] = False
            width, channels_out = design.widths[stage]
            ranks = {name.removeprefix(f"{stage}."): r for name, r in design.ranks.items() if name.startswith(f"{stage}.")}
            self.stages[stage] = Block(inputs[stage], width, channels_out, pools, flat, ranks)
        sides = ("de1", "de2", "de3", "de4", "de5", "en6")
        kernel = design.side_kernel
        self.sides = nn.ModuleList(
            nn.Conv2d(design.widths[stage][1], 1, kernel, padding=kernel // 2) for stage in sides
        )
        self.fuse = nn.Conv2d(len(sides), 1, 1)

    def features(self, x: Tensor) -> list[Tensor]:
        """What each stage answers, in the order of `STAGES`."""
        if self.design.half_resolution:
            x = F.pixel_unshuffle(x, 2)
        features: list[Tensor] = []
        for stage in STAGES[:6]:
            pooled = features and not (self.design.half_resolution and stage == "en2")
            x = self.stages[stage](pool(x) if pooled else x)
            features.append(x)
        for stage, skip in zip(STAGES[6:], features[-2::-1]):
            x = self.stages[stage](torch.cat((resize(x, skip), skip), 1))
            features.append(x)
        return features

    def maps(self, features: list[Tensor]) -> list[Tensor]:
        """The logits that the stages' answers lead to."""
        logits = [side(x) for side, x in zip(self.sides, reversed(features[5:]))]
        logits = [resize(x, logits[0]) for x in logits]
        return [self.fuse(torch.cat(logits, 1)), *logits]

    def forward(self, x: Tensor) -> list[Tensor]:
        return self.maps(self.features(x))


class Exported(nn.Module):
    """What goes into the ONNX file: the fused map alone, at the input's size, as opacity 0..1."""

    def __init__(self, network: U2Net):
        super().__init__()
        self.network = network

    def forward(self, picture: Tensor) -> Tensor:
        return torch.sigmoid(resize(self.network(picture)[0], picture))
