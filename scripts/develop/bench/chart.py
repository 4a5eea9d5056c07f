"""Draw the latencies of a ``bench.json`` as a chart.

A program by itself, for the environment that has matplotlib: ``chart.py BENCH.json CHART.svg``.
"""

import json
import os
import sys
from typing import Any, Dict, List, NamedTuple

COLOURS = {"ferry": "#1b7f79", "nhwc": "#5b4fa3", "article": "#c9622f"}
TITLES = {
    "ferry": "Ferry",
    "nhwc": "Ferry, LAYOUT=nhwc",
    "article": "the article's path",
    "keras": "Keras's own network",
}
MARKERS = {"ferry": "o", "nhwc": "D", "article": "s"}
# Above and below the middle of their group.
OFFSETS = {"ferry": -0.25, "nhwc": 0.0, "article": 0.25}
TICKS = (0.5, 0.7, 1, 1.5, 2, 3, 5, 10, 20, 50, 100)


class Mark(NamedTuple):
    """One mark: which group it is in, what it stands for, and its median and percentiles."""

    group: str
    path: str
    median: float
    p10: float
    p90: float


def marks(document: Dict[str, Any], yardstick: str) -> List[Mark]:
    """The marks of the models that were measured against ``yardstick``, in the document's order."""
    found = []
    for name, model in document["models"].items():
        for entry in model["latency"]:
            threads = f"{entry['threads']} thread{'s' if entry['threads'] > 1 else ''}"
            for path in MARKERS:
                ratio = entry["ratios"].get(f"{path}/{yardstick}")
                if ratio:
                    found.append(Mark(f"{name}\n{entry['runtime']}, {threads}", path, **ratio))
    return found


def yardstick_of(document: Dict[str, Any]) -> str:
    """What to measure against: Keras's own networks, where at least one model has one, and otherwise Ferry's."""
    return "keras" if marks(document, "keras") else "ferry"


def draw(document: Dict[str, Any], target: str) -> None:
    """Write the chart of ``document`` into the SVG file ``target``, whole or not at all."""
    import matplotlib

    matplotlib.use("svg")
    # Text stays text: the file is small, and can be searched.
    matplotlib.rcParams.update({"svg.fonttype": "none", "font.family": "sans-serif", "font.size": 10})
    from matplotlib import pyplot

    yardstick = yardstick_of(document)
    shown = marks(document, yardstick)
    groups = list(dict.fromkeys(mark.group for mark in shown))
    figure, axes = pyplot.subplots(figsize=(8, 1.5 + 0.9 * max(len(groups), 1)), layout="constrained")
    for path, marker in MARKERS.items():
        chosen = [mark for mark in shown if mark.path == path]
        if not chosen:
            continue
        places = [groups.index(mark.group) + OFFSETS[path] for mark in chosen]
        medians = [mark.median for mark in chosen]
        spread = [[mark.median - mark.p10 for mark in chosen], [mark.p90 - mark.median for mark in chosen]]
        axes.errorbar(
            medians, places, xerr=spread, fmt=marker, color=COLOURS[path], capsize=3, label=TITLES[path], clip_on=False
        )
        for mark, place in zip(chosen, places):
            axes.annotate(f"{mark.median:.2f}x", (mark.p90, place), (8, 0), textcoords="offset points", va="center")
    axes.axvline(1, color="#333333", linewidth=1, linestyle="--")
    axes.set_xscale("log")
    axes.set_xlim(min([0.7, *(mark.p10 * 0.9 for mark in shown)]), max([2, *(mark.p90 * 1.6 for mark in shown)]))
    ticks = [tick for tick in TICKS if axes.get_xlim()[0] <= tick <= axes.get_xlim()[1]]
    axes.set_xticks(ticks, [f"{tick:g}x" for tick in ticks])
    axes.minorticks_off()
    axes.grid(axis="x", color="#dddddd")
    axes.set_axisbelow(True)
    axes.set_yticks(range(len(groups)), groups)
    axes.set_ylim(len(groups) - 0.5, -0.5)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(left=False)
    axes.set_xlabel(f"latency as a multiple of {TITLES[yardstick]}: median, p10 to p90; left is faster")
    figure.legend(loc="outside upper center", ncols=3, frameon=False)
    partial = f"{target}.{os.getpid()}.partial"
    # Without the date, which matplotlib would write into the file.
    figure.savefig(partial, format="svg", metadata={"Date": None})
    os.replace(partial, target)


def main() -> None:
    """Draw what the command line names."""
    source, target = sys.argv[1:]
    with open(source, encoding="utf-8") as file:
        draw(json.load(file), target)


if __name__ == "__main__":
    main()
