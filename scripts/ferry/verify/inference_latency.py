"""How long a runtime takes for an input, in memory that does not grow."""

import numpy as np

from ferry.verify.log_histogram import LogHistogram
from ferry.verify.verdict import LatencyFigures, Percentiles


class Latency:
    """The seconds that each inference took, the comparison left out."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.count = 0
        self._histogram = LogHistogram()

    def add(self, seconds: float) -> None:
        """Take in one inference."""
        self.seconds += seconds
        self.count += 1
        self._histogram.add(np.array([seconds]))

    def merge(self, other: "Latency") -> None:
        """Take in all that ``other`` has seen."""
        self.seconds += other.seconds
        self.count += other.count
        self._histogram.merge(other._histogram)

    def figures(self) -> LatencyFigures:
        """All inferences' seconds, and the percentiles of one, to 3 %; ``None`` where nothing ran."""
        if not self.count:
            return LatencyFigures(None, self.seconds)
        median, p10, p90 = (round(1000 * self._histogram.percentile(share), 4) for share in (0.5, 0.1, 0.9))
        return LatencyFigures(Percentiles(median, p10, p90), self.seconds)
