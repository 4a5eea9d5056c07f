"""Gather, sample by sample, how far a runtime's outputs are from the reference's. Memory does not grow with samples."""

from typing import List, Optional

import numpy as np

from ferry.runtimes import TensorSpec


class Reference:
    """What the reference's outputs look like as a whole: their scale, and whether they say anything.

    Args:
        specs: the reference's outputs, of any shape and dtype.
    """

    def __init__(self, specs: List[TensorSpec]):
        self.specs = specs
        self.samples = 0
        self.finite = True
        self._sums = [0.0] * len(specs)
        self._counts = [0] * len(specs)
        self._first: List[np.ndarray] = []
        self._spread = [0.0] * len(specs)

    def add(self, outputs: List[np.ndarray]) -> None:
        """Take in one sample's outputs."""
        if not self.samples:
            self._first = [output.astype(np.float64) for output in outputs]
        self.samples += 1
        for position, output in enumerate(outputs):
            values = output.astype(np.float64)
            self.finite = self.finite and bool(np.isfinite(values).all())
            self._sums[position] += float(np.abs(values).sum())
            self._counts[position] += values.size
            spread = _largest_difference(values, self._first[position])
            self._spread[position] = max(self._spread[position], spread)

    def magnitudes(self) -> List[float]:
        """The mean of the absolute values of each output over all samples."""
        return [total / count if count else 0.0 for total, count in zip(self._sums, self._counts)]

    def spreads(self) -> List[float]:
        """For each output the largest difference between a value and the same value in the first sample."""
        return list(self._spread)


class Errors:
    """The distance of one runtime's outputs from the reference's, one entry an output."""

    def __init__(self, reference: Reference):
        self._reference = reference
        count = len(reference.specs)
        self._sums = [0.0] * count
        self._counts = [0] * count
        self.maxima = [0.0] * count
        self.finite = True
        self._scored, self._agreed = 0, 0

    def add(self, outputs: List[np.ndarray], expected: List[np.ndarray]) -> None:
        """Take in one sample. Both lists hold arrays of equal shapes, in the same order."""
        for position, (output, wanted) in enumerate(zip(outputs, expected)):
            difference = _differences(output.astype(np.float64), wanted.astype(np.float64))
            self.finite = self.finite and bool(np.isfinite(difference).all())
            self._sums[position] += float(difference.sum())
            self._counts[position] += difference.size
            self.maxima[position] = max(self.maxima[position], float(difference.max(initial=0.0)))
        if looks_like_scores(expected[0]):
            agreed = outputs[0].argmax(axis=1) == expected[0].argmax(axis=1)
            self._scored += agreed.size
            self._agreed += int(agreed.sum())

    def means(self) -> List[float]:
        """The mean absolute error of each output over all samples and elements."""
        return [total / count if count else 0.0 for total, count in zip(self._sums, self._counts)]

    def relative(self) -> List[float]:
        """Each mean absolute error over the mean magnitude of the reference's same output."""
        return _ratios(self.means(), self._reference.magnitudes())

    def relative_maxima(self) -> List[float]:
        """Each maximum absolute error over the mean magnitude of the reference's same output."""
        return _ratios(self.maxima, self._reference.magnitudes())

    def top1_agreement(self) -> Optional[float]:
        """The share of samples whose best-scored class is the reference's; ``None`` where outputs are no scores."""
        return self._agreed / self._scored if self._scored else None


def looks_like_scores(output: np.ndarray) -> bool:
    """Whether an output is one row of at least two class scores a sample."""
    return output.ndim == 2 and output.shape[1] >= 2 and output.dtype.kind == "f"


def _differences(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    # Infinity less infinity is no number, which is what the caller looks for; it needs no warning.
    with np.errstate(invalid="ignore"):
        return np.abs(left - right)


def _largest_difference(left: np.ndarray, right: np.ndarray) -> float:
    return float(_differences(left, right).max(initial=0.0))


def _ratios(errors: List[float], magnitudes: List[float]) -> List[float]:
    return [error / scale if scale else float("inf") for error, scale in zip(errors, magnitudes)]
