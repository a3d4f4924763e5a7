"""Where everything lies that the steps make and that is not committed."""

import argparse
import json
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MODELS = ROOT.parent
TEACHER = MODELS / "u2net.onnx"


def add_work(parser: argparse.ArgumentParser) -> None:
    default = os.environ.get("HOTCUT_DISTILL_WORK", ROOT / ".work")
    parser.add_argument("--work", type=Path, default=Path(default), help="working folder (default: %(default)s)")


def add_teacher(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--teacher", type=Path, default=TEACHER, help="ONNX file of U²-Net (default: %(default)s)")


def add_name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--name", default="student", help="of the model and of all files on the way to it (default: %(default)s)")


def manifest(work: Path, part: str) -> list[dict]:
    """The manifest's lines of one part. The reserved part is not to be had."""
    if part == "reserved":
        raise ValueError("the reserved part is for the final judgement only")
    path = work / "manifest.jsonl"
    if not path.is_file():
        raise SystemExit(f"{path} is missing: run `make data` first")
    lines = (json.loads(line) for line in path.read_text().splitlines())
    return [line for line in lines if line["part"] == part]
