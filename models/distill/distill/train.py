"""Views + the teacher's weights -> a trained student (`NAME.pt`), step by step and resumable.

The student starts as near to the teacher as its form allows. Adam in whitened coordinates, the rate warmed
up and then falling by a cosine; what counts in the end is the moving average of the weights. The teacher is
asked about photos and drawings only: of composites the truth is known, and the teacher often misses it.
"""

import argparse
import copy
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from . import judge, metrics, network, ranks, split, views, weights
from .loss import LossWeights, distillation_loss, hint_loss
from .reconstruct import reconstruct
from .whitening import whiten
from .work import add_name, add_teacher, add_work, manifest

AVERAGE_DECAY = 0.998
RANK_VIEWS = 64
WHITENING_VIEWS = 48
WARM_STEPS = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_work(parser)
    add_teacher(parser)
    add_name(parser)
    parser.add_argument("--gmac", type=float, default=13.0, help="10^9 multiply-adds for the stages (default: %(default)s)")
    parser.add_argument("--million", type=float, default=11.1, help="10^6 weights for the stages (default: %(default)s)")
    parser.add_argument("--size", type=int, default=288, help="side of the input (default: %(default)s)")
    parser.add_argument("--start-views", type=int, default=700, help="training views to start from (default: %(default)s)")
    parser.add_argument("--upper-views", type=int, default=96, help="of these for the upper stages (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=2000, help="of this run (default: %(default)s)")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rate", type=float, default=2e-4, help="the highest learning rate, of weights near 1 (default: %(default)s)")
    parser.add_argument("--alpha", type=float, default=0.8, help="share of the hard term (default: %(default)s)")
    parser.add_argument("--temperature", type=float, default=1.25, help="of the soft term (default: %(default)s)")
    parser.add_argument("--sides", type=float, default=0.1, help="weight of a side map (default: %(default)s)")
    parser.add_argument("--hints", type=float, default=1.0, help="weight of the stages' answers (default: %(default)s)")
    parser.add_argument("--composites", type=float, default=0.6, help="share of composites (default: %(default)s)")
    parser.add_argument("--figures", type=float, default=0.2, help="of composites, share with drawn cutouts (default: %(default)s)")
    parser.add_argument("--drawings", type=float, default=0.05, help="share of drawings (default: %(default)s)")
    parser.add_argument("--bfloat16", action="store_true", help="compute the stages in it: faster where the processor has it")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--start", type=Path, help="an ONNX student to start from, quantised or not, in place of the teacher")
    parser.add_argument("--judge-every", type=int, default=250, help="steps (default: %(default)s)")


def checkpoint(args: argparse.Namespace) -> Path:
    return args.work / f"{args.name}.pt"


@dataclass(frozen=True)
class Batch:
    """Normalised pictures, B x 3 x size x size, and opacities, B x 1 x size x size.

    For the first `asked` pictures the truth is not known and `truth` is the teacher's label of the view from
    which they were taken; the rest are composites.
    """

    pictures: Tensor
    truth: Tensor
    asked: int


def existing(*kinds: tuple[float, list[int]]) -> list[tuple[float, list[int]]]:
    return [(share, numbers) for share, numbers in kinds if share and numbers]


class Batches:
    """Endless batches of augmented views, with the same number of composites in each.

    `drawn` are the names of drawn figures, which cutouts of composites may be.
    """

    def __init__(self, pool: views.Pool, args: argparse.Namespace, drawn: frozenset[str] = frozenset()):
        self.pool, self.size = pool, args.size
        self.dice = np.random.default_rng(args.seed)
        numbers, photos = pool.numbers("composite"), max(0.0, 1 - args.composites - args.drawings)
        figures = [number for number in numbers if pool.index[number]["of"][0] in drawn]
        cutouts = sorted(set(numbers) - set(figures))
        # A pool of an interrupted run may lack a kind.
        self.composites = existing((1 - args.figures, cutouts), (args.figures, figures))
        self.labelled = existing((photos, pool.numbers("photo", "scene")), (args.drawings, pool.numbers("drawing")))
        composites = round(args.composites * args.batch) if self.composites else 0
        composites = composites if self.labelled else args.batch
        self.counts = (args.batch - composites, composites)

    def next(self) -> Batch:
        labelled, composites = self.counts
        numbers = [*self.draw(self.labelled, labelled), *self.draw(self.composites, composites)]
        pictures, truth = map(torch.stack, zip(*map(self.view, numbers)))
        return Batch(pictures, truth, labelled)

    def draw(self, kinds: list[tuple[float, list[int]]], count: int) -> list[int]:
        """So many numbers of views, of each kind its share in the long run."""
        shares = np.array([share for share, _ in kinds])
        chosen = self.dice.choice(len(kinds), count, p=shares / shares.sum()) if count else []
        return [self.dice.choice(kinds[kind][1]) for kind in chosen]

    def view(self, number: int) -> tuple[Tensor, Tensor]:
        has_truth = self.pool.index[number]["kind"] == "composite"
        label = (self.pool.truth if has_truth else self.pool.teacher)[number]
        picture = torch.from_numpy(np.array(self.pool.picture[number])).permute(2, 0, 1).float()
        stack = torch.cat((picture, torch.from_numpy(np.array(label)).float()[None]))
        side = int(self.dice.integers(int(0.8 * views.SIDE), views.SIDE + 1))
        top, left = self.dice.integers(0, views.SIDE - side + 1, 2)
        stack = stack[:, top : top + side, left : left + side]
        if self.dice.random() < 0.5:
            stack = stack.flip(2)
        stack = F.interpolate(stack[None], (self.size, self.size), mode="bilinear", antialias=True)[0]
        return normalise(self.recolour(stack[:3].clamp(0, 255))), (stack[3:] / 255).clamp(0, 1)

    def recolour(self, picture: Tensor) -> Tensor:
        """Another light: gamma, contrast, a tint."""
        gamma = math.exp(self.dice.normal(0, 0.15))
        contrast = math.exp(self.dice.normal(0, 0.1))
        tint = torch.from_numpy(np.exp(self.dice.normal(0, 0.03, (3, 1, 1)))).float()
        mean = picture.mean()
        return (255 * (((picture - mean) * contrast + mean).clamp(0, 255) / 255) ** gamma * tint).clamp(0, 255)


def normalise(picture: Tensor) -> Tensor:
    mean, std = torch.from_numpy(judge.MEAN)[:, None, None], torch.from_numpy(judge.STD)[:, None, None]
    return (picture / picture.max().clamp_min(1) - mean) / std


def judged(pool: views.Pool, *kinds: str) -> list[int]:
    """The evaluation views of these kinds, but for those that training knows."""
    return [number for number in pool.numbers(*kinds) if not split.is_twin(pool.index[number]["of"][0])]


def evaluate(answer: Callable[[np.ndarray], np.ndarray], side: int, pool: views.Pool) -> dict[str, float]:
    """How a model does on the evaluation views on average; `answer` gives its opacity for a picture of `side`."""
    return {name: round(float(np.mean(values)), 4) for name, values in scores_of_views(answer, side, pool).items()}


def scores_of_views(
    answer: Callable[[np.ndarray], np.ndarray], side: int, pool: views.Pool
) -> dict[str, list[float]]:
    """How a model does on each of the evaluation views that a score is about."""
    clear, every_photo, near_teacher, near_truth, teacher_near_truth = [], [], [], [], []
    for number in judged(pool, "photo", "scene", "composite"):
        line = pool.index[number]
        opacity = torch.from_numpy(answer(pool.shrunk(number, side)))[None, None]
        opacity = F.interpolate(opacity, (views.SIDE, views.SIDE), mode="bilinear")[0, 0].numpy()
        reference = pool.teacher[number] / 255
        if line["kind"] == "composite":
            truth = pool.truth[number] / 255
            near_truth.append(metrics.psnr(opacity, truth))
            teacher_near_truth.append(metrics.psnr(reference, truth))
            continue
        score = metrics.iou(opacity, reference)
        every_photo.append(score)
        near_teacher.append(metrics.psnr(opacity, reference))
        if pool.is_clear(number):
            clear.append(score)
    names = ("iou_clear", "iou_photos", "psnr_teacher", "psnr_truth", "teacher_psnr_truth")
    values = (clear, every_photo, near_teacher, near_truth, teacher_near_truth)
    return {name: v for name, v in zip(names, values) if v}


def answers(student: network.U2Net) -> Callable[[np.ndarray], np.ndarray]:
    """The student as a function from a picture to its opacity."""
    exported = network.Exported(student)

    def answer(picture: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return exported(torch.from_numpy(judge.normalise(picture)))[0, 0].numpy()

    return answer


def some_pictures(pool: views.Pool, count: int, size: int, seed: int) -> Tensor:
    """Normalised training views at the student's size, always the same ones."""
    numbers = np.random.default_rng(seed).permutation(pool.numbers("photo", "scene", "composite"))
    return torch.from_numpy(np.concatenate([judge.normalise(pool.shrunk(n, size)) for n in numbers[:count]]))


def beginning(args: argparse.Namespace, pool: views.Pool, teacher: network.U2Net) -> network.U2Net:
    """The student before its first step."""
    if args.start:
        student = weights.load_student(args.start).requires_grad_(True)
        student.design = replace(student.design, size=args.size)
        return student
    pictures = some_pictures(pool, args.start_views, args.size, args.seed)
    layers = ranks.observe(teacher, network.student(args.size), pictures[:RANK_VIEWS])
    chosen = ranks.choose(layers, 1e9 * args.gmac, 1e6 * args.million)
    student = network.U2Net(network.student(args.size, chosen))
    print("starting: share of the teacher's energy that each stage misses", flush=True)
    reconstruct(teacher, student, pictures, args.upper_views, report=lambda *said: print(*said, flush=True))
    return student


def design_of(saved: dict, path: Path, size: int) -> network.Design:
    """What a checkpoint's student looks like, if it is the one that is asked for."""
    design = network.Design.from_dict(saved["design"])
    if design.size != size:
        raise SystemExit(f"{path} is of a student of size {design.size}: pass that as --size, or another --name")
    return design


def losses_of(
    student: network.U2Net, teacher: network.U2Net, batch: Batch, parts: LossWeights, bfloat16: bool
) -> tuple[Tensor, Tensor]:
    """The loss of distillation over all of a batch, and the hints of those pictures about which the teacher is asked."""
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        features = student.features(batch.pictures)
        wanted = teacher.features(batch.pictures[: batch.asked]) if batch.asked else []
    soft, hints = batch.truth[:0], torch.zeros(())
    if batch.asked:
        soft = torch.sigmoid(teacher.maps([each.float() for each in wanted])[0])
        hints = hint_loss([each[: batch.asked] for each in features], wanted)
    return distillation_loss(student.maps([each.float() for each in features]), soft, batch.truth, parts), hints


def rate_at(step: int, steps: int, highest: float) -> float:
    warm = min(1.0, (step + 1) / WARM_STEPS)
    return highest * warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / steps)))


def main(args: argparse.Namespace) -> None:
    torch.manual_seed(args.seed)
    torch.set_flush_denormal(True)
    pool, eval_pool = views.load(args.work, "train"), views.load(args.work, "eval")
    path = checkpoint(args)
    teacher = weights.load_teacher(args.teacher)
    parts = LossWeights(args.alpha, args.temperature, args.sides)
    saved = torch.load(path, weights_only=False) if path.is_file() else None
    if saved:
        student = network.U2Net(design_of(saved, path, args.size))
        average = copy.deepcopy(student).requires_grad_(False)
        average.load_state_dict(saved["average"])
        whiten(student, None)
        student.load_state_dict(saved["student"])
    else:
        student = beginning(args, pool, teacher)
        average = copy.deepcopy(student).requires_grad_(False)
        whiten(student, some_pictures(pool, WHITENING_VIEWS, args.size, args.seed))
    teacher, student, average = (each.to(memory_format=torch.channels_last) for each in (teacher, student, average))
    optimiser = torch.optim.Adam(student.parameters(), args.rate)
    drawn = frozenset(entry["sha256"] for entry in manifest(args.work, "train") if entry["kind"] == "figure")
    batches, step, losses = Batches(pool, args, drawn), 0, []
    if saved:
        optimiser.load_state_dict(saved["optimiser"])
        batches.dice.bit_generator.state = saved["dice"]
        step = saved["step"]
        print(f"going on from step {step}", flush=True)
    else:
        scores = evaluate(answers(average), args.size, eval_pool)
        print("start", scores, flush=True)
        save(path, args, student, average, optimiser, batches, 0, scores)
    begun, first = time.monotonic(), step
    for step in range(step, args.steps):
        for group in optimiser.param_groups:
            group["lr"] = rate_at(step, args.steps, args.rate)
        batch = batches.next()
        batch = replace(batch, pictures=batch.pictures.to(memory_format=torch.channels_last))
        distilled, hints = losses_of(student, teacher, batch, parts, args.bfloat16)
        loss = distilled + args.hints * hints
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        decay = min(AVERAGE_DECAY, (step + 1) / (step + 10))
        for slow, fast in zip(weights.convolutions(average), weights.convolutions(student)):
            slow.weight.lerp_(fast.weight.detach(), 1 - decay)
            slow.bias.lerp_(fast.bias.detach(), 1 - decay)
        losses.append((loss.item(), hints.item()))
        if (step + 1) % 25 == 0:
            seconds = (time.monotonic() - begun) / (step + 1 - first)
            left = seconds * (args.steps - step - 1) / 60
            loss_mean, hints_mean = np.mean(losses[-25:], 0)
            print(
                f"step {step + 1} loss {loss_mean:.4f}, hints {hints_mean:.4f}, {seconds:.2f} s/step, {left:.0f} min left",
                flush=True,
            )
        if (step + 1) % args.judge_every == 0 or step + 1 == args.steps:
            scores = evaluate(answers(average), args.size, eval_pool)
            print(f"step {step + 1}", scores, flush=True)
            save(path, args, student, average, optimiser, batches, step + 1, scores)


def save(path, args, student, average, optimiser, batches, step, scores) -> None:
    options = {name: value for name, value in vars(args).items() if isinstance(value, (int, float))}
    options["start"] = args.start.name if args.start else "teacher"
    unfinished = path.with_suffix(".unfinished")
    torch.save(
        {
            "design": student.design.to_dict(), "student": student.state_dict(), "average": average.state_dict(),
            "optimiser": optimiser.state_dict(), "dice": batches.dice.bit_generator.state, "step": step,
            "options": options, "scores": scores,
        },
        unfinished,
    )  # fmt: skip
    unfinished.rename(path)
    with (path.parent / "training.jsonl").open("a") as log:
        log.write(json.dumps({"student": path.stem, "step": step, **scores}) + "\n")
