"""Count values by magnitude, in memory that does not grow: a percentile to 3 % without keeping what it is one of."""

from typing import List, Tuple

import numpy as np

# A float64's exponent and the first of its mantissa's bits are the bin, as in HdrHistogram: 32 bins an octave.
SUB_BITS = 5
_SHIFT = 52 - SUB_BITS
LOWEST, HIGHEST = 2.0**-100, 2.0**60
_FIRST = int(np.float64(LOWEST).view(np.int64)) >> _SHIFT
BINS = (int(np.float64(HIGHEST).view(np.int64)) >> _SHIFT) - _FIRST + 1


class LogHistogram:
    """How many of the values seen were of which magnitude.

    The last bin of ``counts`` holds ``HIGHEST`` and all above it. What is below ``LOWEST``, zero included, is counted
    in ``small``.
    """

    def __init__(self) -> None:
        self.counts = np.zeros(BINS, np.int64)
        self.small = 0

    def add(self, values: np.ndarray) -> None:
        """Take in non-negative float64 ``values`` of any shape."""
        bins = (np.ascontiguousarray(values).reshape(-1).view(np.int64) >> _SHIFT) - _FIRST
        np.clip(bins, -1, BINS - 1, out=bins)
        counted = np.bincount(bins + 1, minlength=BINS + 1)
        self.small += int(counted[0])
        self.counts += counted[1:]

    def merge(self, other: "LogHistogram") -> None:
        """Take in all that ``other`` has seen."""
        self.counts += other.counts
        self.small += other.small

    def percentile(self, share: float) -> float:
        """The value that the given share of all values (0 to 1) does not exceed; 0 where that is below ``LOWEST``."""
        total = self.small + int(self.counts.sum())
        wanted = share * total - self.small
        if wanted <= 0:
            return 0.0
        reached = np.cumsum(self.counts)
        position = min(int(np.searchsorted(reached, wanted)), BINS - 1)
        inside = (wanted - (reached[position] - self.counts[position])) / max(int(self.counts[position]), 1)
        low, high = _edge(position), _edge(position + 1)
        return float(low + (high - low) * inside)

    def decades(self, step: float) -> Tuple[float, List[int]]:
        """The counts over bins of ``step`` in log10, those that hold anything, and the log10 at which they begin.

        A fine bin goes whole to the coarse one in which its middle lies.
        """
        used = np.flatnonzero(self.counts)
        if not used.size:
            return 0.0, []
        middles = np.log10([(_edge(int(position)) + _edge(int(position) + 1)) / 2 for position in used])
        coarse = np.floor(middles / step).astype(np.int64)
        counts = np.bincount(coarse - coarse[0], weights=self.counts[used]).astype(np.int64)
        return float(coarse[0] * step), [int(count) for count in counts]


def _edge(position: int) -> float:
    return float(np.int64((position + _FIRST) << _SHIFT).view(np.float64))
