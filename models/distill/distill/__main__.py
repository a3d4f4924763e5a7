"""The command line: one subcommand a step, in the order in which they run."""

import argparse
import importlib

STEPS = {
    "data": "fetch the pictures from Debian packages and split them by content",
    "labels": "make training and evaluation views and let the teacher judge them",
    "train": "prune the teacher to the student's size and train it",
    "export": "write the student as ONNX, and check it against torch",
    "quantise": "make the INT8 student, and check it against the float one",
    "report": "measure teacher and students and write models/README.md",
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m distill", description=__doc__)
    steps = parser.add_subparsers(required=True, metavar="STEP")
    for name, summary in STEPS.items():
        module = importlib.import_module(f".{name}", __package__)
        step = steps.add_parser(name, help=summary, description=module.__doc__)
        module.add_arguments(step)
        step.set_defaults(main=module.main)
    args = parser.parse_args()
    args.main(args)


if __name__ == "__main__":
    main()
