"""How long a runtime takes for an input, in memory that does not grow."""

from typing import Dict, Optional

import numpy as np

from ferry.verify.log_histogram import LogHistogram


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

    def milliseconds(self) -> Optional[Dict[str, float]]:
        """The median, the 10th and the 90th percentile, to 3 %; ``None`` where nothing ran."""
        if not self.count:
            return None
        names = {"median": 0.5, "p10": 0.1, "p90": 0.9}
        return {name: round(1000 * self._histogram.percentile(share), 4) for name, share in names.items()}
