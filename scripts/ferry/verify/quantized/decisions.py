"""Decisions: how often the quantized model decides otherwise than the float one, and could that be chance?"""

import math
from typing import List, Optional, Tuple

import numpy as np

from ferry.verify.quantized.findings import Decisions, Flip

# The two-sided normal quantile of a 95 % interval.
Z95 = 1.959963984540054
# A margin above so many times the predicted noise of a difference of two classes is no tie that noise may break.
SURE = 3.0
SHOWN_FLIPS = 20


def wilson(successes: int, count: int, quantile: float = Z95) -> Tuple[float, float]:
    """The interval of E. B. Wilson (1927) for a share, of which ``successes`` of ``count`` were seen."""
    if not count:
        return 0.0, 1.0
    share, square = successes / count, quantile**2
    centre = (share + square / (2 * count)) / (1 + square / count)
    half = quantile / (1 + square / count) * math.sqrt(share * (1 - share) / count + square / (4 * count**2))
    return max(0.0, centre - half), min(1.0, centre + half)


class DecisionCounter:
    """The decisions on one output of class scores, [1, classes] an input, one after another."""

    def __init__(self, name: str):
        self._name = name
        self._agreed, self._count = 0, 0
        self._flips: List[Tuple[int, float, int, int]] = []

    @property
    def count(self) -> int:
        """How many decisions there were."""
        return self._count

    def add(self, sample: int, floating: np.ndarray, quantized: np.ndarray) -> None:
        """Take in the two models' scores of the input ``sample``."""
        float_scores, scores = floating.reshape(-1).astype(np.float64), quantized.reshape(-1).astype(np.float64)
        wanted, made = int(float_scores.argmax()), int(scores.argmax())
        self._count += 1
        if scores[wanted] == scores[made]:
            # Steps make equal what was not; whoever takes either of the two has the float model's class among them.
            self._agreed += 1
            return
        self._flips.append((sample, float(float_scores[wanted] - float_scores[made]), wanted, made))

    def findings(self, noise: Optional[float]) -> Decisions:
        """What was found; ``noise`` is the predicted root mean square error of a score."""
        of_difference = None if noise is None else math.sqrt(2.0) * noise
        sure = 0 if of_difference is None else sum(margin > SURE * of_difference for _, margin, _, _ in self._flips)
        low, high = wilson(self._agreed, self._count)
        order = sorted(self._flips, key=lambda flip: -flip[1])
        return Decisions(
            output=self._name,
            count=self._count,
            agreed=self._agreed,
            agreement=self._agreed / self._count if self._count else 0.0,
            interval=[low, high],
            predicted_noise=of_difference,
            sure_flips=sure,
            flips=[Flip(*flip) for flip in order[:SHOWN_FLIPS]],
        )
