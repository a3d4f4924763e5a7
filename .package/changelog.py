"""CHANGELOG.md -> the package's changelog on stdout: its top entry, word for word, as Debian writes one."""

import re
import sys
import textwrap
from pathlib import Path

CHANGELOG = Path(__file__).resolve().parents[1] / "CHANGELOG.md"


def top_entry(text):
    """The lines below the first heading of a version, up to the next one."""
    return re.split(r"^## .*$", text, flags=re.MULTILINE)[1].strip().splitlines()


def as_debian(lines):
    """A heading of a group in brackets, and each point with a star, in lines of 80 characters."""
    for paragraph in re.split(r"\n(?=### |- )|\n\n", "\n".join(lines)):
        words = " ".join(paragraph.split())
        if words.startswith("### "):
            yield f"  [ {words.removeprefix('### ')} ]"
        elif words:
            yield textwrap.fill(words.removeprefix("- "), 80, initial_indent="  * ", subsequent_indent="    ", break_on_hyphens=False)


def main():
    version, maintainer, date = sys.argv[1:]
    lines = list(as_debian(top_entry(CHANGELOG.read_text())))
    if not any(line.startswith("  * ") for line in lines):
        sys.exit("changelog: the top entry of CHANGELOG.md has no point")
    print(f"hotcut ({version}) unstable; urgency=medium\n", *lines, f"\n -- {maintainer}  {date}", sep="\n")


if __name__ == "__main__":
    main()
