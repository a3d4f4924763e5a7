"""A Qt resource archive (.rcc) -> the files inside."""

import struct
import zlib
from collections.abc import Iterator

COMPRESSED_ZLIB, DIRECTORY, COMPRESSED_ZSTD = 1, 2, 4


class RccError(ValueError):
    """Not an archive that this can read."""


def files(archive: bytes) -> Iterator[tuple[str, bytes]]:
    """Path and contents of every file; paths have no leading slash."""
    if archive[:4] != b"qres":
        raise RccError("no Qt resource archive: it does not begin with 'qres'")
    version, tree, data, names = struct.unpack_from(">4I", archive, 4)
    node_bytes = 14 if version == 1 else 22

    def text(offset: int) -> str:
        (length,) = struct.unpack_from(">H", archive, names + offset)
        start = names + offset + 6
        return archive[start : start + 2 * length].decode("utf-16-be")

    def contents(offset: int, flags: int) -> bytes:
        (length,) = struct.unpack_from(">I", archive, data + offset)
        start = data + offset + 4
        stored = archive[start : start + length]
        if flags & COMPRESSED_ZSTD:
            raise RccError("zstd-compressed resources are not supported")
        return zlib.decompress(stored[4:]) if flags & COMPRESSED_ZLIB else stored

    def walk(node: int, path: str) -> Iterator[tuple[str, bytes]]:
        at = tree + node * node_bytes
        name_offset, flags = struct.unpack_from(">IH", archive, at)
        if node:
            path = f"{path}/{text(name_offset)}" if path else text(name_offset)
        if flags & DIRECTORY:
            count, first = struct.unpack_from(">2I", archive, at + 6)
            for child in range(first, first + count):
                yield from walk(child, path)
        else:
            (offset,) = struct.unpack_from(">I", archive, at + 10)
            yield path, contents(offset, flags)

    yield from walk(0, "")
