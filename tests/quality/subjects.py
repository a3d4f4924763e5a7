"""Converts cutouts and random numbers to subjects of known coverage: plain, hairy, wired, spoked, veiled and out of focus."""

import math

import cv2
import numpy as np

import layers

DARK, STEEL = (38, 36, 40), (188, 192, 198)


def unit(size):
    """The side of a pixel of a 1-megapixel photo of the same view, in pixels."""
    return math.sqrt(size[0] * size[1] / 1e6)


def outline(alpha):
    """Points of the outlines and the directions out of the subject there."""
    shape = (alpha > 0.5).astype(np.uint8)
    contours, _ = cv2.findContours(shape, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    points = np.concatenate([contour[:, 0] for contour in contours if len(contour) > 40])
    smooth = cv2.GaussianBlur(alpha, (0, 0), 3 * unit(alpha.shape))
    out = -np.dstack([cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)])[points[:, 1], points[:, 0]]
    return points.astype(np.float64), out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-6)


def walk(start, direction, length, bend, fall, steps=12):
    """A curved line: it turns by `bend` (radians in all) and falls towards the ground."""
    angle, points = math.atan2(direction[1], direction[0]), [start]
    for _ in range(steps):
        angle += bend / steps
        heading = np.array([math.cos(angle), math.sin(angle) + fall])
        angle = math.atan2(heading[1], heading[0])
        points.append(points[-1] + heading / np.linalg.norm(heading) * length / steps)
    return np.array(points)


def hairs(layer, size, dice, noise):
    """Strands that begin inside the subject, of its colours, and end up to an eighth of the picture's height further out."""
    colour, alpha = layer
    points, out = outline(alpha)
    pixel = unit(size)
    longest = dice.uniform(0.02, 0.11) * max(size)
    lean, fall, curl = dice.uniform(-0.6, 0.6), dice.uniform(0, 0.12), dice.uniform(0.1, 1.6)
    # Tufts: the same lean and length for strands that stand together.
    tufts = noise.normal(0, 1, (64, 3))
    strokes = []
    for root in noise.integers(0, len(points), dice.randint(1200, 4500)):
        tuft = tufts[root * 64 // len(points)]
        length = longest * np.clip(0.6 + 0.25 * tuft[0] + 0.2 * noise.normal(), 0.15, 1.3)
        angle = math.atan2(out[root][1], out[root][0]) + lean + 0.25 * tuft[1] + 0.2 * noise.normal()
        start = points[root] - out[root] * 4 * pixel
        column, row = np.clip(np.rint(start - out[root] * 3 * pixel), 0, np.array(size) - 1).astype(int)
        shade = np.clip(colour[row, column] * noise.normal(1, 0.12) + noise.normal(0, 6), 0, 255)
        line = walk(start, (math.cos(angle), math.sin(angle)), length + 4 * pixel, curl * (0.5 * tuft[2] + 0.3 * noise.normal()), fall)
        thick = noise.uniform(0.5, 1.6) * pixel**0.7
        strokes.append((line, thick * np.linspace(1, 0.35, len(line)), shade))
    return layers.over(layer, layers.draw(strokes, size))


def wires(layer, size, dice, noise):
    """Cables that hang out of the subject, with a lighter line along each."""
    points, out = outline(layer[1])
    pixel, strokes = unit(size), []
    for _ in range(dice.randint(5, 10)):
        root = dice.randrange(len(points))
        line = walk(
            points[root] - out[root] * 5 * pixel, out[root], dice.uniform(0.1, 0.35) * min(size), dice.uniform(-4, 4), 0.04, 40
        )
        thick = dice.uniform(1.3, 5) * pixel
        shade = np.array(dice.choice([DARK, STEEL, (150, 40, 34), (70, 90, 130)]), np.float32)
        strokes.append((line, [thick] * len(line), shade))
        strokes.append((line - (0, thick / 5), [thick / 3] * len(line), np.minimum(shade * 1.35 + 12, 255)))
    return layers.over(layer, layers.draw(strokes, size))


def ring(centre, radius, width, colour):
    turns = np.linspace(0, 2 * math.pi, 181)
    points = np.array(centre) + radius * np.column_stack([np.cos(turns), np.sin(turns)])
    return points, [width] * len(points), colour


def wheel(centre, radius, pixel, dice):
    """Tyre, rim, hub, and spokes that leave the hub along its edge."""
    centre, paint = np.array(centre, np.float64), dice.choice([DARK, STEEL, STEEL])
    thick, count, twist = dice.uniform(1.1, 2.6) * pixel, dice.choice([18, 24, 28, 36]), dice.uniform(0.2, 1.2)
    strokes = [ring(centre, radius, 0.085 * radius, DARK), ring(centre, 0.93 * radius, 0.045 * radius, STEEL)]
    for spoke in range(count):
        angle = 2 * math.pi * spoke / count
        inner = angle + (twist if spoke % 2 else -twist)
        begin = 0.08 * radius * np.array([math.cos(inner), math.sin(inner)])
        ends = np.array([centre + begin, centre + 0.93 * radius * np.array([math.cos(angle), math.sin(angle)])])
        strokes.append((ends, [thick] * 2, paint))
    return strokes + [ring(centre, 0.06 * radius, 0.09 * radius, (96, 98, 104))]


def spokes(size, dice):
    """One wheel, or a bicycle."""
    width, height = size
    pixel = unit(size)
    if dice.random() < 0.4:
        return layers.draw(wheel((width * 0.5, height * 0.5), 0.4 * min(size), pixel, dice), size)
    radius = 0.19 * min(width, height * 1.5)
    low, rear, front = 0.5 * height + 0.6 * radius, 0.5 * width - 1.3 * radius, 0.5 * width + 1.3 * radius
    paint, tube = dice.choice([(170, 36, 30), (30, 80, 150), (40, 44, 48), (210, 170, 40)]), 0.1 * radius
    saddle, head = (rear + 0.75 * radius, low - 1.7 * radius), (front - 0.5 * radius, low - 1.6 * radius)
    crank = 0.5 * width - 0.1 * radius, low
    lines = [(saddle, crank), (crank, head), (saddle, head), ((rear, low), crank), ((rear, low), saddle), (head, (front, low))]
    strokes = wheel((rear, low), radius, pixel, dice) + wheel((front, low), radius, pixel, dice)
    strokes += [(np.array(line, np.float64), [tube] * 2, paint) for line in lines]
    handle = np.array([head, (head[0] + 0.1 * radius, head[1] - 0.35 * radius), (head[0] + 0.45 * radius, head[1] - 0.3 * radius)])
    seat = np.array([(saddle[0] - 0.3 * radius, saddle[1]), (saddle[0] + 0.25 * radius, saddle[1])])
    return layers.draw(strokes + [(handle, [0.07 * radius] * 3, DARK), (seat, [0.16 * radius] * 2, DARK)], size)


def veil(layer, size, dice, noise):
    """Cloth behind the subject that hangs down on both sides: folds, a weave, and an opacity of 0.15 to 0.8."""
    alpha = layer[1]
    width, height = size
    rows, columns = np.nonzero(alpha > 0.5)
    top, bottom = rows.min(), min(height - 1, rows.max() + 0.03 * height)
    middle, half = columns.mean(), 0.5 * (columns.max() - columns.min())
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    down = ((y - top) / max(1, bottom - top)).clip(0, 1)
    wave = sum(0.03 * np.sin(down * dice.uniform(4, 14) + dice.uniform(0, 6)) for _ in range(3))
    reach = half * (0.75 + 0.5 * np.sqrt(down) + wave)
    inside = (reach - np.abs(x - middle) + 0.5).clip(0, 1) * (y - top + 0.5).clip(0, 1) * (bottom - y + 0.5).clip(0, 1)
    across = (x - middle) / np.maximum(reach, 1)
    fold = np.zeros_like(across)
    for _ in range(4):
        fold += dice.uniform(0.4, 1) * np.sin(across * dice.uniform(6, 30) + down * dice.uniform(-3, 3) + dice.uniform(0, 6))
    pitch = dice.uniform(3, 7) * unit(size)
    weave = 0.5 + 0.25 * np.sin(2 * math.pi * (x + y) / pitch) + 0.25 * np.sin(2 * math.pi * (x - y) / pitch)
    cover = (dice.uniform(0.3, 0.5) + 0.12 * fold + 0.12 * (weave - 0.5)).clip(0.15, 0.8) * inside
    cloth = np.array(dice.choice([(244, 240, 236), (226, 214, 222), (206, 220, 232), (60, 56, 66)]), np.float32)
    shaded = (cloth * (1 + 0.07 * fold[..., None])).clip(0, 255).astype(np.float32)
    return layers.over(layer, (shaded, cover.astype(np.float32)))


def defocus(layer, size, dice):
    """Sharp at one end and out of focus at the other."""
    width, height = size
    way = np.linspace(0, 1, height, dtype=np.float32)[:, None] * np.ones((1, width), np.float32)
    way = (1 - way if dice.random() < 0.5 else way) * 1.6 - 0.3
    sharp, soft = layers.premultiplied(layer), layers.premultiplied(layers.blur(layer, dice.uniform(2.5, 6) * unit(size)))
    share = way.clip(0, 1)
    return layers.straight(sharp[0] + share[..., None] * (soft[0] - sharp[0]), sharp[1] + share * (soft[1] - sharp[1]))
