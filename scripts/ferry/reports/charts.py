"""The charts of the page as plain coordinates; the template draws them.

A chart is 340 units wide, about the width of a phone, so that its text is as large there as that around it.
"""

import math
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from ferry.reports.figures import power_of_ten

WIDTH, HEIGHT = 340, 170
LEFT, RIGHT, TOP, BOTTOM = 34, 322, 12, 138
# Fewer values than this share of all lie beyond the left edge, where a histogram on a log axis never ends.
TAIL = 1e-3
MOST_TICKS = 7


class Tick(NamedTuple):
    """Where a tick is, in the chart's units, and what stands at it."""

    at: float
    label: str


class Histogram(NamedTuple):
    """One stage's errors: ``bars`` are (x, y, width, height), ``outline`` PyTorch's own as points of a polyline."""

    stage: str
    bars: List[Tuple[float, float, float, float]]
    outline: str
    ticks: List[Tick]
    shares: List[Tick]
    limit: Optional[float]
    equal: Optional[float]


class Line(NamedTuple):
    """A stage's line: its points, and the same as a polyline's ``points``."""

    stage: str
    points: List[Tuple[float, float]]
    polyline: str


class Lines(NamedTuple):
    """Lines over two log axes; ``limit`` is the height of what is allowed."""

    lines: List[Line]
    x_ticks: List[Tick]
    y_ticks: List[Tick]
    limit: Optional[float]


def histograms(measures: Dict[str, Dict[str, Any]], noise: Optional[Dict[str, Any]]) -> List[Histogram]:
    """A histogram of absolute errors for each stage in ``measures``, all on the same axes."""
    drawn = {name: _bins(each["histogram"]) for name, each in measures.items()}
    floor = _bins(noise["histogram"]) if noise else []
    every = [bins for bins in (*drawn.values(), floor) if bins]
    if not every:
        return []
    lowest = math.floor(min(_first_of_weight(bins) for bins in every))
    highest = math.ceil(max(bins[-1][0] + bins[-1][1] for bins in every) + 0.1)
    tallest = max(share for bins in every for _, _, share in bins)
    across = _Scale(lowest, highest, LEFT, RIGHT)
    up = _Scale(0, tallest * 1.08, BOTTOM, TOP)
    made = []
    for name, bins in drawn.items():
        bars = []
        for start, step, share in bins:
            if start >= lowest and share > 0:
                left, right, top = across(start), across(start + step), up(share)
                bars.append((_n(left), _n(top), _n(max(right - left - 0.6, 0.5)), _n(BOTTOM - top)))
        entry = measures[name]
        allowed = (entry.get("allowed") or {}).get("absolute", {}).get("mean")
        limit = _n(across(math.log10(allowed))) if allowed and lowest <= math.log10(allowed) <= highest else None
        counts = sum(entry["histogram"]["counts"]) + entry["histogram"]["below"]
        equal = entry["histogram"]["below"] / counts if counts and entry["histogram"]["below"] else None
        outline = " ".join(
            f"{_n(across(x))},{_n(up(share))}"
            for start, step, share in floor
            if start >= lowest
            for x in (start, start + step)
        )
        shares = [Tick(_n(up(value)), f"{value:.0%}") for value in _round_steps(tallest)]
        made.append(Histogram(name, bars, outline, _decades(across), shares, limit, equal))
    return made


def error_over_magnitude(measures: Dict[str, Dict[str, Any]], noise: Optional[Dict[str, Any]]) -> Optional[Lines]:
    """The mean absolute error over the magnitude of the value it is an error of, a line a stage."""
    entries = {**({"pytorch": noise} if noise else {}), **measures}
    points = {
        name: [
            (each["log10_from"] + 0.25, math.log10(each["mean_abs_error"]))
            for each in entry["by_magnitude"]
            if each["mean_abs_error"]
        ]
        for name, entry in entries.items()
    }
    every = [point for line in points.values() for point in line]
    if not every:
        return None
    limits = [(entry.get("allowed") or {}).get("absolute", {}).get("mean") for entry in measures.values()]
    allowed = next((limit for limit in limits if limit), None)
    heights = [y for _, y in every] + ([math.log10(allowed)] if allowed else [])
    across = _Scale(math.floor(min(x for x, _ in every)), math.ceil(max(x for x, _ in every)), LEFT, RIGHT)
    up = _Scale(math.floor(min(heights) - 0.1), math.ceil(max(heights) + 0.1), BOTTOM, TOP)
    lines = []
    for name, line in points.items():
        placed = [(_n(across(x)), _n(up(y))) for x, y in line]
        if placed:
            lines.append(Line(name, placed, " ".join(f"{x},{y}" for x, y in placed)))
    return Lines(lines, _decades(across), _decades(up), _n(up(math.log10(allowed))) if allowed else None)


class _Scale:
    """Maps ``low`` to ``high`` onto ``start`` to ``end``."""

    def __init__(self, low: float, high: float, start: float, end: float):
        self.low, self.high, self._start, self._end = low, max(high, low + 1e-9), start, end

    def __call__(self, value: float) -> float:
        return self._start + (value - self.low) / (self.high - self.low) * (self._end - self._start)


def _bins(histogram: Dict[str, Any]) -> List[Tuple[float, float, float]]:
    """(log10 of the bin's start, its width, its share of all values), from the first that holds any to the last."""
    total = sum(histogram["counts"]) + histogram["below"]
    start, step = histogram["log10_from"], histogram["log10_step"]
    found = [(start + step * place, step, count / total) for place, count in enumerate(histogram["counts"]) if total]
    filled = [place for place, (_, _, share) in enumerate(found) if share > 0]
    return found[filled[0] : filled[-1] + 1] if filled else []


def _first_of_weight(bins: Sequence[Tuple[float, float, float]]) -> float:
    passed = 0.0
    for start, _, share in bins:
        passed += share
        if passed >= TAIL:
            return start
    return bins[0][0]


def _decades(scale: _Scale) -> List[Tick]:
    first, last = math.ceil(scale.low), math.floor(scale.high)
    step = max(1, math.ceil((last - first) / MOST_TICKS))
    return [Tick(_n(scale(exponent)), power_of_ten(exponent)) for exponent in range(first, last + 1, step)]


def _round_steps(tallest: float) -> List[float]:
    """Two or three round numbers up to ``tallest``."""
    step = 10 ** math.floor(math.log10(tallest))
    for part in (0.5, 1, 2, 5):
        if tallest / (step * part) < 4:
            step *= part
            break
    return [step * count for count in range(1, 4) if step * count <= tallest * 1.05]


def _n(value: float) -> float:
    return round(value, 1)
