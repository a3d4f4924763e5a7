"""Converts the figures of all rows to the goals of the edges: what was asked for, what was measured, yes or no."""

import statistics

import table

SURE_IOU = 0.95


def common(rows, *names):
    """The figures of these rows for the pictures that all of them have, or None if a row is missing."""
    if any(not rows.get(name) for name in names):
        return None
    both = set.intersection(*(set(rows[name]) for name in names))
    return [{picture: rows[name][picture] for picture in both} for name in names]


def verdict(value, is_met, shown):
    """(measured, yes or no)"""
    return ("not measured", "") if value is None else (shown.format(value), "yes" if is_met(value) else "**no**")


def ratio(rows, row, base, is_counted=None):
    """Mean edge error of one row over that of another, of the same pictures."""
    both = common(rows, row, base)
    if both is None:
        return None
    names = {name for name in both[0] if is_counted is None or is_counted(name)}
    return table.mean(both[0], "edge", names) / table.mean(both[1], "edge", names) if names else None


def gain(rows, row, base):
    both = common(rows, row, base)
    return None if both is None else table.mean(both[0], "psnr") - table.mean(both[1], "psnr")


def at_most(what, limit, value, shown="{:.2f}"):
    return what, f"<= {shown.format(limit)}", *verdict(value, lambda value: value <= limit, shown)


def at_least(what, limit, value, shown="{:.2f}"):
    return what, f">= {shown.format(limit)}", *verdict(value, lambda value: value >= limit, shown)


def quality(rows):
    found = [
        at_most("u2net auto, edge error to rembg's default", 0.62, ratio(rows, "u2net auto", "rembg")),
        at_most("u2net auto, edge error to `rembg -a`", 1.0, ratio(rows, "u2net auto", "rembg -a")),
        at_most("student auto, edge error to rembg's default with U²-Net", 0.75, ratio(rows, "student auto", "rembg")),
        at_most("the same, aim", 0.5, ratio(rows, "student auto", "rembg")),
        at_least("student auto, alpha PSNR over off, dB", 3.0, gain(rows, "student auto", "student off")),
        at_least("student auto, alpha PSNR over rembg's default, dB", 0.0, gain(rows, "student auto", "rembg")),
    ]
    for model in ("student", "student-fast", "u2net"):
        off = rows.get(f"{model} off", {})
        sure = ratio(rows, f"{model} auto", f"{model} off, premultiplied", lambda name: off[name]["iou"] > SURE_IOU)
        found.append(at_most(f"{model} auto, mask's IoU > {SURE_IOU}: edge error to off, premultiplied", 0.45, sure))
    return found


def worse(rows):
    """Shares of pictures, of the default."""
    row, percent, few = "student auto", None, None
    if rows.get(row):
        count, of = table.worse(rows, row)
        percent = 100 * count / of
        few, _ = table.worse(rows, row, lambda base: base["iou"] > table.GOOD_IOU)
    return [
        at_most("student auto, pictures worse than off by more than 0.3", 3, percent, "{:.1f} %"),
        at_most("the same, mask's IoU > 0.8", 0, few, "{:.0f}"),
    ]


def stage(row, figure, low, high):
    """The median milliseconds of a stage, of pictures within these megapixels."""
    values = [figures[figure] for figures in row.values() if figure in figures and low <= figures["mp"] < high]
    return statistics.median(values) if values else None


def colour_cost(row):
    """Milliseconds of the colours for each megapixel of the subjects' boxes."""
    timed = [figures for figures in row.values() if "colour_ms" in figures and figures["box"] > 0]
    return sum(figures["colour_ms"] for figures in timed) / sum(figures["box"] for figures in timed) if timed else None


def time(rows):
    """Of the default on one core a photo; as good as the machine was quiet."""
    row = rows.get("student auto", {})
    return [
        at_most("student auto, refinement at 1 MP, ms", 11.5, stage(row, "refine_ms", 0, 2), "{:.1f}"),
        at_most("student auto, refinement at 24 MP, ms", 46.0, stage(row, "refine_ms", 20, 30), "{:.1f}"),
        at_most("student auto, colours, ms/MP of the subject's box", 15.0, colour_cost(row), "{:.1f}"),
        at_most("student auto, more than off at 1 MP, ms", 25.0, stage(row, "extra", 0, 2), "{:.0f}"),
        at_most("student auto, more than off at 24 MP, ms", 150.0, stage(row, "extra", 20, 30), "{:.0f}"),
    ]


def all_goals(rows):
    return quality(rows) + worse(rows) + time(rows)
