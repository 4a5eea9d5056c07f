"""A figure with its spread, from samples that were taken in turns."""

from typing import Dict, List, NamedTuple

import numpy as np


class Spread(NamedTuple):
    """The median of some samples, and the tenth and ninetieth percentile, in the samples' unit."""

    median: float
    p10: float
    p90: float

    def as_dictionary(self) -> Dict[str, float]:
        """The three as plain values, to six significant digits."""
        return {name: float(f"{value:.6g}") for name, value in self._asdict().items()}


def of(samples: List[float]) -> Spread:
    """The spread of ``samples``, of which there is at least one."""
    low, middle, high = np.percentile(np.asarray(samples, dtype=np.float64), [10, 50, 90])
    return Spread(float(middle), float(low), float(high))


def of_ratios(samples: List[float], others: List[float]) -> Spread:
    """The spread of the ratios of two series, round by round: what slows a whole round down cancels out.

    Raises:
        ValueError: the series are not equally long.
    """
    if len(samples) != len(others):
        raise ValueError(f"{len(samples)} samples against {len(others)}")
    return of([one / other for one, other in zip(samples, others)])
