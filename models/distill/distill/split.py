"""An image's encoded bytes -> its name and the part of the data it belongs to."""

import hashlib

PARTS = ("train", "eval", "reserved")


def name(encoded: bytes) -> str:
    """SHA-256 of the file as it was published, in hex."""
    return hashlib.sha256(encoded).hexdigest()


def part(name: str) -> str:
    """`0`-`9` train, `a`-`b` evaluation, `c`-`f` reserved: read by nothing here."""
    digit = int(name[0], 16)
    return "train" if digit < 10 else "eval" if digit < 12 else "reserved"


# Evaluation pictures that show what a training picture shows: another size or crop of it.
TWINS = ("a7acb9e7", "ad991336", "aef49d1d", "afe5b1af", "bf846623")


def is_twin(name: str) -> bool:
    """Whether a picture of the evaluation part would flatter whoever was trained."""
    return name.startswith(TWINS)
