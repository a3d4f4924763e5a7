"""Colours -> a PNG, and a point of the screen -> its colour: enough of the format for photos whose cutout is known beforehand."""

import struct
import zlib


def half_white(width=480, height=320):
    """White above and black below: to the model of the tests, a subject above and background below."""
    white, black = b"\xff\xff\xff" * width, b"\0\0\0" * width
    return png(width, height, lambda y: white if y < height // 2 else black)


def png(width, height, row):
    """A PNG whose row `y` holds the bytes `row(y)`, three for each pixel."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + row(y) for y in range(height)), 1)
    parts = [(b"IHDR", header), (b"IDAT", rows), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )


def size(image):
    """Width and height that a PNG tells of."""
    return struct.unpack(">II", image[16:24])


def on_screen(page, x, y):
    """The colour at a point of what the page shows."""
    image = page.screenshot(clip={"x": x, "y": y, "width": 1, "height": 1})
    position, data = 8, b""
    while position < len(image):
        (length,) = struct.unpack(">I", image[position : position + 4])
        if image[position + 4 : position + 8] == b"IDAT":
            data += image[position + 8 : position + 8 + length]
        position += length + 12
    # One pixel: whichever the row's filter, there is nothing before it to add.
    return tuple(zlib.decompress(data)[1:4])
