"""The command line: one subcommand a step, in the order in which they run."""

import argparse
import importlib
import importlib.util
import sys

STEPS = {
    "data": "fetch the pictures from Debian packages and split them by content",
    "labels": "make training and evaluation views and let the teacher judge them",
    "train": "bring a student near the teacher, and train it",
    "export": "write the student as ONNX, and check it against torch",
    "quantise": "make the INT8 student, and check it against the float one",
    "report": "measure teacher and students and write models/README.md",
}


def build(words: list[str]) -> argparse.ArgumentParser:
    """Only the asked step's module is loaded: `data` and `labels` need no torch."""
    parser = argparse.ArgumentParser(prog="python -m distill", description=__doc__)
    steps = parser.add_subparsers(required=True, metavar="STEP")
    asked = next((word for word in words if word in STEPS), None)
    for name, summary in STEPS.items():
        if not importlib.util.find_spec(f"{__package__}.{name}"):
            continue
        step = steps.add_parser(name, help=summary)
        if name == asked:
            module = importlib.import_module(f".{name}", __package__)
            step.description = module.__doc__
            module.add_arguments(step)
            step.set_defaults(main=module.main)
    return parser


def main() -> None:
    args = build(sys.argv[1:]).parse_args()
    args.main(args)


if __name__ == "__main__":
    main()
