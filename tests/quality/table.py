"""Converts the figures of all rows and pictures to tables in Markdown: by subset, worse pictures, and the parts of the edge error."""

import statistics

import evaluation_set
import scores

WORSE = 0.3
GOOD_IOU = 0.8
SUBSETS = list(evaluation_set.COUNTS)


def mean(row, figure, names=None):
    """Of the pictures that have the figure, or None."""
    values = [figures[figure] for name, figures in row.items() if (names is None or name in names) and figures.get(figure) is not None]
    return statistics.fmean(values) if values else None


def per_megapixel(row, figure):
    """Milliseconds of all pictures that were timed, divided by their megapixels."""
    timed = [figures for figures in row.values() if figure in figures]
    return sum(figures[figure] for figures in timed) / sum(figures["mp"] for figures in timed) if timed else None


def worse(rows, row, is_counted=lambda base: True):
    """(pictures whose edge error is higher than the unrefined one's by more than 0.3, pictures compared)."""
    base = rows.get(scores.unrefined(row), {})
    both = [name for name in rows[row] if name in base and is_counted(base[name])]
    return sum(rows[row][name]["edge"] > base[name]["edge"] + WORSE for name in both), len(both)


def shown(value, digits=1):
    return "" if value is None else f"{value:.{digits}f}"


def share(counted):
    count, of = counted
    return f"{count / of:.0%} ({count}/{of})" if of else ""


def line(cells):
    return "| " + " | ".join(cells) + " |"


def of_subset(row, subset):
    return {name: figures for name, figures in row.items() if evaluation_set.subset_of(name) == subset}


def main_table(rows):
    heads = ["", *SUBSETS, "all", "PSNR", "IoU", "colour", "worse", "worse, IoU > 0.8", "edges, ms/MP", "all, ms/MP", "pictures"]
    lines = [line(heads), line(["---"] * len(heads))]
    for name, row in rows.items():
        is_base = name == scores.unrefined(name)
        lines.append(
            line(
                [name]
                + [shown(mean(of_subset(row, subset), "edge")) for subset in SUBSETS]
                + [f"**{shown(mean(row, 'edge'))}**", shown(mean(row, "psnr"), 2), shown(mean(row, "iou"), 3), shown(mean(row, "colour"))]
                + (["", ""] if is_base else [share(worse(rows, name)), share(worse(rows, name, lambda base: base["iou"] > GOOD_IOU))])
                + ["" if is_base else shown(per_megapixel(row, "extra"), 0), shown(per_megapixel(row, "all"), 0), str(len(row))]
            )
        )
    return "\n".join(lines)


def parts_table(rows):
    """The edge error as `mask part + edge part`."""
    lines = [line(["", *SUBSETS, "all"]), line(["---"] * (len(SUBSETS) + 2))]

    def cell(row):
        return f"{shown(mean(row, 'mask_part'))} + {shown(mean(row, 'edge_part'))}" if row else ""

    for name, row in rows.items():
        lines.append(line([name, *(cell(of_subset(row, subset)) for subset in SUBSETS), cell(row)]))
    return "\n".join(lines)


def goals_table(goals):
    lines = [line(["goal", "asked for", "measured", ""]), line(["---"] * 4)]
    lines += [line([what, asked, measured, verdict]) for what, asked, measured, verdict in goals]
    return "\n".join(lines)
