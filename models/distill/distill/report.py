"""Teacher, students and evaluation views -> the table of models/README.md and a sheet of pictures for eyes.

Everything in one run: latencies in turns, on two threads; the memory of a worker that cuts a photo of
1 megapixel; quality on the evaluation part.
"""

import argparse
import math
import os
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from . import export, metrics, train, views, weights
from .judge import Judge
from .quantise import Calibration, base_manifest, static
from .work import MODELS, add_teacher, add_work

ROUNDS = 15
MEMORY_SECONDS_MAX = 120
BEGIN, END = "<!-- report -->", "<!-- end of report -->"
SHEET = "sheet.jpg"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_work(parser)
    add_teacher(parser)
    parser.add_argument("--models", type=Path, default=MODELS, help="default: %(default)s")
    parser.add_argument("--hotcut", type=Path, default=MODELS.parent / "target/release/hotcut", help="default: %(default)s")


def latencies(judges: dict[str, Judge]) -> dict[str, float]:
    """Median milliseconds a picture, the models taking turns."""
    taken: dict[str, list[float]] = {name: [] for name in judges}
    pictures = {judge.size: np.full((judge.size, judge.size, 3), 128, np.uint8) for judge in judges.values()}
    for turn in range(ROUNDS + 1):
        for name, judge in judges.items():
            start = time.perf_counter()
            judge(pictures[judge.size])
            if turn:
                taken[name].append(1e3 * (time.perf_counter() - start))
    return {name: float(np.median(times)) for name, times in taken.items()}


def workers(parent: int) -> list[int]:
    """The processes that `hotcut` started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == parent:
            found.append(int(folder.name))
    return found


def peak_memory(hotcut: Path, models_dir: Path, model: str) -> float:
    """Peak resident MiB of a worker that cuts three photos of 1 megapixel out of a hot folder."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("state", "in", "out"):
            (folder / part).mkdir()
        photo = Image.open(MODELS / "golden.jpg").convert("RGB").resize((1000, 1000), Image.Resampling.BICUBIC)
        for number in range(3):
            # A photo of the same bytes as another would not be cut again.
            photo.save(folder / f"in/{number}.jpg", quality=90 + number)
        config = folder / "hotcut.toml"
        config.write_text(
            f'[daemon]\nstate_dir = "{folder}/state"\nmodels_dir = "{models_dir}"\nworkers = 1\nthreads_per_worker = 2\n'
            f'[[folder]]\nname = "report"\ninput = "{folder}/in"\noutput = "{folder}/out"\nmodel = "{model}"\n'
        )
        log = folder / "log"
        with log.open("wb") as stderr:
            process = subprocess.Popen([hotcut, "run", "--config", config], stderr=stderr)
        peak, end = 0, time.monotonic() + MEMORY_SECONDS_MAX
        while len(list((folder / "out").glob("*.png"))) < 3:
            if process.poll() is not None or time.monotonic() > end:
                process.kill()
                raise SystemExit(f"hotcut cut no photo with {model}: {log.read_text()}")
            peak = max(peak, *(peak_of(pid) for pid in workers(process.pid)), 0)
            time.sleep(0.005)
        process.terminate()
        process.wait()
        return peak / 1024


def peak_of(pid: int) -> int:
    """The largest resident size so far of a process, in KiB; 0 if it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return int(status.split("VmHWM:")[1].split()[0]) if "VmHWM:" in status else 0


def students(models: Path, teacher: Path) -> list[Path]:
    """The default student, there or not, and what else lies beside it."""
    found = {models / "student.onnx", *models.glob("*.onnx")}
    return sorted((path for path in found if path.resolve() != teacher.resolve()), key=lambda path: path.stem)


def row(name: str, path: Path, time_ms: float, teacher_ms: float, memory: float, scores: dict[str, list[float]]) -> str:
    size = path.stat().st_size / 1e6
    means = {score: np.mean(values) for score, values in scores.items()}
    return (
        f"| {name} | {size:.1f} MB | {time_ms:.0f} ms (1/{teacher_ms / time_ms:.1f}) | {memory:.0f} MiB "
        f"| {means['psnr_truth']:.1f} dB | {means['iou_clear']:.3f} | {means['iou_photos']:.3f} "
        f"| {means['psnr_teacher']:.1f} dB |"
    )


def uncertainty(name: str, scores: dict[str, list[float]]) -> str:
    """How far other pictures of the same kinds may lead: standard errors of the mean."""
    behind = np.subtract(scores["psnr_truth"], scores["teacher_psnr_truth"])
    errors = [np.std(values, ddof=1) / math.sqrt(len(values)) for values in (behind, scores["iou_clear"])]
    return (
        f"{name} is {behind.mean():+.2f} dB (standard error {errors[0]:.2f}) from the teacher's PSNR to the truth; "
        f"its IoU on clear photos has a standard error of {errors[1]:.3f}."
    )


def checkered(picture: np.ndarray, opacity: np.ndarray) -> np.ndarray:
    side = len(picture)
    squares = (np.add.outer(np.arange(side) // 16, np.arange(side) // 16) % 2)[..., None] * 50 + 180
    alpha = opacity[..., None]
    return np.rint(alpha * picture + (1 - alpha) * squares).astype(np.uint8)


def sheet(judge: Judge, pool: views.Pool, path: Path, count: int = 12) -> None:
    """Photo, teacher's cutout, student's cutout, side by side, three such a row."""
    numbers = [n for n in train.judged(pool, "photo", "scene") if pool.is_clear(n)]
    tiles = []
    for number in numbers[:: max(1, len(numbers) // count)][:count]:
        picture = pool.shrunk(number, 160)
        maps = [pool.teacher[number] / 255, judge(pool.shrunk(number, judge.size))]
        small = [np.asarray(Image.fromarray(metrics.stretch(m).astype(np.float32)).resize((160, 160))) for m in maps]
        tiles.append(np.concatenate([picture, *(checkered(picture, m) for m in small)], 1))
    rows = [np.concatenate(tiles[at : at + 3], 1) for at in range(0, len(tiles) - len(tiles) % 3, 3)]
    Image.fromarray(np.concatenate(rows)).save(path, quality=85)


def main(args: argparse.Namespace) -> None:
    pool = views.load(args.work, "eval")
    teacher8 = args.work / "u2net-int8.onnx"
    quantise_teacher(args.teacher, teacher8, args.work)
    files = {
        "teacher U²-Net": args.teacher,
        "teacher, INT8": teacher8,
    }
    for model in students(args.models, args.teacher):
        before = export.float_model(args.work, model.stem)
        # Whoever trains one student does not have what another was made of.
        if before.is_file():
            files[f"{model.stem}, float"] = before
        files[f"**{model.stem}**"] = model
    judges = {name: Judge(path) for name, path in files.items()}
    times = latencies(judges)
    slowest = times["teacher U²-Net"]
    rows, uncertain = [], []
    for name, path in files.items():
        memory = peak_memory(args.hotcut, *as_model(path, args))
        scores = train.scores_of_views(judges[name], judges[name].size, pool)
        rows.append(row(name, path, times[name], slowest, memory, scores))
        print(rows[-1], flush=True)
        if path.parent == args.models and path != args.teacher:
            uncertain.append(uncertainty(f"`{path.stem}`", scores))
    photos = train.judged(pool, "photo", "scene")
    clear = sum(pool.is_clear(n) for n in photos)
    table = "\n".join(
        [
            "| | file | latency | worker, peak | PSNR to the truth | IoU to teacher, clear photos | all photos | PSNR to teacher |",
            "|---|---|---|---|---|---|---|---|",
            *rows,
            "",
            f"{len(pool.numbers('composite'))} composites with true alpha, {len(photos)} photos, {clear} of them clear; "
            f"{os.cpu_count()} cores, two threads, batch 1.",
            *uncertain,
        ]
    )
    readme = args.models / "README.md"
    before, rest = readme.read_text().split(BEGIN)
    readme.write_text(f"{before}{BEGIN}\n{table}\n{END}{rest.split(END)[1]}")
    sheet(judges["**student**"], pool, args.models / SHEET)


def quantise_teacher(teacher: Path, target: Path, work: Path) -> None:
    """By way of torch, since the teacher's file is of an opset that has no steps per channel."""
    again = work / "u2net-again.onnx"
    export.write(weights.load_teacher(teacher), again)
    static(again, target, Calibration(views.load(work, "train"), 48, Judge(again)))


def as_model(path: Path, args: argparse.Namespace) -> tuple[Path, str]:
    """A models folder and the name under which hotcut finds the file there."""
    if path.parent == args.models:
        return args.models, path.stem
    folder = args.work / "model-manifests"
    folder.mkdir(exist_ok=True)
    (folder / f"{path.stem}.toml").write_text(base_manifest(path))
    return folder, path.stem
