"""Converts the evaluation part to a table of rembg and hotcut, in figures (.quality/table.md) and in pictures (.quality/sheet.png).

QUALITY_PICTURES=N takes the first N pictures only. HOTCUT=PATH names another program. `--folder` scores cutouts that something else
has made of .quality/set/photos, as a row NAME; "student ..." is compared with hotcut's student as it is without refinement (`off`).
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import evaluation_set
import goals
import pictures
import programs
import scores
import sheet
import table

ALL = sum(evaluation_set.COUNTS.values())

NOTES = """Edge error: mean absolute difference to the truth over four grounds (white, black, blue, red) within 6 pixels of the
true edge, 0 to 255. PSNR: of alpha, in dB. IoU: of alpha above a half. Colour: mean absolute difference to the true foreground where
it is half-transparent, 0 to 255.
Worse: the edge error is higher than with the mask alone (`off`; rembg's default) by more than 0.3; the IoU is that of the mask.
Edges, ms/MP: what a photo takes beyond the mask alone, inference left out. All: from file to PNG, inference included.
`rembg -a` has fewer pictures, none of more than 4 megapixels: its goal compares the same ones. "Premultiplied" is `off` with colours
dimmed by alpha, as rembg's default writes them.
A photo in which hotcut finds no subject counts as an empty cutout."""

PARTS = """Mask part: the share of the edge error in pixels where the mask alone is further than 0.5 from the truth. Edge part: the rest."""


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", action="append", default=[], metavar="NAME=DIR", help="score cutouts that are there already")
    parser.add_argument("--skip-rembg", action="store_true", help="measure hotcut alone")
    return parser.parse_args()


def report(rows, count):
    """The three tables, as text."""
    told = subprocess.run([programs.PROGRAM, "--version"], check=True, capture_output=True, text=True).stdout.splitlines()
    commit = next((line for line in told if line.startswith("commit")), "commit: unknown")
    lines = [f"{count} pictures; {told[0]}, {commit}", "", table.main_table(rows), "", NOTES, "", table.parts_table(rows), "", PARTS, ""]
    if not programs.has_edges():
        lines += ["This hotcut has no `--edges`: only today's cutouts (`off`) were measured.", ""]
    return "\n".join([*lines, table.goals_table(goals.all_goals(rows))]) + "\n"


def main():
    args = arguments()
    if not programs.PROGRAM.is_file():
        sys.exit(f"{programs.PROGRAM} is not built: run make build")
    names = evaluation_set.prepare(int(os.environ.get("QUALITY_PICTURES") or ALL))
    photos = [evaluation_set.SET / "photos" / f"{name}.jpg" for name in names]
    times = {} if args.skip_rembg else programs.rembg_rows(photos)
    times |= programs.hotcut_rows(photos)
    folders = {row: programs.folder_of(row) for row in times}
    folders |= {name: Path(folder) for name, _, folder in (text.partition("=") for text in args.folder)}
    print("scoring", flush=True)
    rows = scores.with_times(scores.all_scores(names, folders), times)
    (pictures.WORK / "scores.json").write_text(json.dumps(rows, indent=1) + "\n")
    text = report(rows, len(names))
    (pictures.WORK / "table.md").write_text(text)
    sheet.write({row: figures for row, figures in rows.items() if row in times})
    print(text)
    print(f"written: {pictures.WORK / 'table.md'}, {sheet.TARGET}")


if __name__ == "__main__":
    main()
