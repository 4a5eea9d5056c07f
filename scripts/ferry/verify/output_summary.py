"""What one output of the reference looks like as a whole: its scale, and whether it says anything."""

from typing import Dict, List, Optional, Tuple

import numpy as np

from ferry.runtimes import TensorSpec
from ferry.verify.sample_means import SampleMeans

# An axis longer than this is not told apart: it has as many values as other outputs have in all.
LONGEST_AXIS = 65_536
# A softmax that puts all but this on one class says nothing of the others.
SATURATED = 1e-6


def part_axes(shape: Tuple[int, ...]) -> List[int]:
    """The axes of an output along which channels, classes or the coordinates of a box may lie: the second, the last."""
    candidates = {axis for axis in (1, len(shape) - 1) if 1 <= axis < len(shape)}
    return [axis for axis in sorted(candidates) if 2 <= shape[axis] <= LONGEST_AXIS]


def means_along(axis: int, values: np.ndarray) -> np.ndarray:
    """The mean of ``values`` [samples, *shape] in each sample for each place along ``axis``: [samples, places]."""
    others = tuple(other for other in range(1, values.ndim) if other != axis + 1)
    return values.mean(axis=others)


def looks_like_scores(spec: TensorSpec) -> bool:
    """Whether an output is one row of at least two class scores a sample."""
    return len(spec.shape) == 2 and spec.shape[1] >= 2 and spec.dtype.kind == "f"


class OutputSummary:
    """The reference's values of one output, over all samples.

    ``first`` is the first sample's output, from which ``spread`` is the largest distance of any value to its like.
    """

    def __init__(self, spec: TensorSpec, first: np.ndarray):
        self.spec = spec
        self.samples = 0
        self.finite = True
        self.total, self.count = 0.0, 0
        self.lowest, self.highest = np.inf, -np.inf
        self.spread = 0.0
        self.saturated, self.rows = 0, 0
        self.parts: Dict[int, SampleMeans] = {axis: SampleMeans((spec.shape[axis],)) for axis in part_axes(spec.shape)}
        self._first = first.astype(np.float64)

    def add(self, values: np.ndarray) -> None:
        """Take in the outputs of some samples: [samples, *shape], of any dtype."""
        values = values.astype(np.float64)
        self.samples += len(values)
        if not np.isfinite(values).all():
            self.finite = False
            return
        magnitudes = np.abs(values)
        self.total += float(magnitudes.sum())
        self.count += values.size
        self.lowest = min(self.lowest, float(values.min(initial=np.inf)))
        self.highest = max(self.highest, float(values.max(initial=-np.inf)))
        self.spread = max(self.spread, float(np.abs(values - self._first).max(initial=0.0)))
        for axis, means in self.parts.items():
            means.add(means_along(axis, magnitudes))
        if looks_like_scores(self.spec):
            rows = values.reshape(-1, values.shape[-1])
            probabilities = (rows.min(axis=1) >= 0) & (np.abs(rows.sum(axis=1) - 1) < 1e-3)
            self.rows += len(rows)
            self.saturated += int((probabilities & (rows.max(axis=1) > 1 - SATURATED)).sum())

    def merge(self, other: "OutputSummary") -> None:
        """Take in all that ``other`` has seen."""
        self.samples += other.samples
        self.finite = self.finite and other.finite
        self.total += other.total
        self.count += other.count
        self.lowest, self.highest = min(self.lowest, other.lowest), max(self.highest, other.highest)
        self.spread = max(self.spread, other.spread)
        self.saturated += other.saturated
        self.rows += other.rows
        for axis, means in self.parts.items():
            means.merge(other.parts[axis])

    @property
    def magnitude(self) -> float:
        """The mean of the absolute values: the scale that errors are seen against."""
        return self.total / self.count if self.count else 0.0

    def part_magnitudes(self, axis: int) -> np.ndarray:
        """The same for each place along ``axis``."""
        return self.parts[axis].mean

    def range(self) -> Optional[float]:
        """The distance of the largest value from the smallest; ``None`` where there were none."""
        return self.highest - self.lowest if self.count else None
