"""How far one output is from the reference's, gathered as the samples come. Memory does not grow with them."""

import math
from typing import Dict, List, Optional

import numpy as np

from ferry.runtimes import TensorSpec
from ferry.verify.log_histogram import LogHistogram
from ferry.verify.output_summary import looks_like_scores, part_axes, sums_along
from ferry.verify.verdict import MagnitudeBin

# Errors are also told by the magnitude of the value they befell, in steps of half a decade between these.
MAGNITUDE_STEP, MAGNITUDE_LOWEST, MAGNITUDE_BINS = 0.5, -12, 48
TOP = 5


class Distance:
    """The absolute differences between two arrays, one sample after another."""

    def __init__(self) -> None:
        self.count, self.total, self.squares = 0, 0.0, 0.0
        self.largest, self.worst_sample = 0.0, 0
        self.histogram = LogHistogram()

    def add(self, start: int, differences: np.ndarray) -> None:
        """Take in finite, non-negative ``differences`` [samples, elements], of the samples from ``start`` on."""
        self.count += differences.size
        self.total += float(differences.sum())
        self.squares += float(np.square(differences).sum())
        self.histogram.add(differences)
        if differences.size:
            sample = int(differences.max(axis=1).argmax())
            largest = float(differences[sample].max())
            # Of equal ones the first, whichever came in first.
            if (largest, -(start + sample)) > (self.largest, -self.worst_sample):
                self.largest, self.worst_sample = largest, start + sample

    def merge(self, other: "Distance") -> None:
        """Take in all that ``other`` has seen."""
        self.count += other.count
        self.total += other.total
        self.squares += other.squares
        self.histogram.merge(other.histogram)
        if (other.largest, -other.worst_sample) > (self.largest, -self.worst_sample):
            self.largest, self.worst_sample = other.largest, other.worst_sample

    @property
    def mean(self) -> float:
        """The mean absolute difference."""
        return self.total / self.count if self.count else 0.0

    @property
    def p999(self) -> float:
        """The 99.9th percentile of the absolute differences."""
        return min(self.histogram.percentile(0.999), self.largest)


class OutputErrors:
    """One runtime's one output against the reference, and against PyTorch in float32.

    ``reference`` and ``float32`` are the distances from each; ``unequal`` counts the elements that equal neither.
    """

    def __init__(self, spec: TensorSpec):
        self.spec = spec
        self.finite = True
        self.reference, self.float32 = Distance(), Distance()
        self.unequal = 0
        self.cosines, self.lowest_cosine, self.directions = 0.0, math.inf, 0
        self.scored, self.top1, self.top5 = 0, 0, 0
        self.parts: Dict[int, np.ndarray] = {axis: np.zeros(spec.shape[axis]) for axis in part_axes(spec.shape)}
        self.by_magnitude = np.zeros((3, MAGNITUDE_BINS))

    def add(self, start: int, made: np.ndarray, reference: np.ndarray, float32: np.ndarray) -> None:
        """Take in the samples from ``start`` on; each array is [samples, *shape], and the two references are finite."""
        values, wanted = made.astype(np.float64), reference.astype(np.float64)
        if not np.isfinite(values).all():
            self.finite = False
            return
        differences = np.abs(values - wanted)
        narrow = np.abs(values - float32.astype(np.float64))
        rows = len(values)
        self.reference.add(start, differences.reshape(rows, -1))
        self.float32.add(start, narrow.reshape(rows, -1))
        self.unequal += int(np.count_nonzero((differences > 0) & (narrow > 0)))
        for axis in self.parts:
            self.parts[axis] += sums_along(axis, differences)
        self._add_directions(values.reshape(rows, -1), wanted.reshape(rows, -1))
        self._add_magnitudes(np.abs(wanted).reshape(-1), differences.reshape(-1))
        if looks_like_scores(self.spec):
            classes = self.spec.shape[1]
            self._add_scores(values.reshape(-1, classes), wanted.reshape(-1, classes))

    def merge(self, other: "OutputErrors") -> None:
        """Take in all that ``other`` has seen."""
        self.finite = self.finite and other.finite
        self.reference.merge(other.reference)
        self.float32.merge(other.float32)
        self.unequal += other.unequal
        self.cosines += other.cosines
        self.lowest_cosine = min(self.lowest_cosine, other.lowest_cosine)
        self.directions += other.directions
        self.scored, self.top1, self.top5 = self.scored + other.scored, self.top1 + other.top1, self.top5 + other.top5
        for axis in self.parts:
            self.parts[axis] += other.parts[axis]
        self.by_magnitude[:2] += other.by_magnitude[:2]
        np.maximum(self.by_magnitude[2], other.by_magnitude[2], out=self.by_magnitude[2])

    def part_means(self, axis: int) -> np.ndarray:
        """The mean absolute difference from the reference for each place along ``axis``."""
        return self.parts[axis] / max(self.reference.count / len(self.parts[axis]), 1)

    def psnr(self, peak: Optional[float]) -> Optional[float]:
        """The peak signal-to-noise ratio in dB, ``peak`` being the reference's range; ``None`` where it is infinite."""
        if not peak or not self.reference.squares:
            return None
        return 20 * math.log10(peak) - 10 * math.log10(self.reference.squares / self.reference.count)

    def magnitudes(self) -> List[MagnitudeBin]:
        """Mean and largest error by the magnitude of the reference's value: from ``10 ** log10_from`` half a decade."""
        counts, sums, maxima = self.by_magnitude
        return [
            MagnitudeBin(
                log10_from=float(MAGNITUDE_LOWEST + MAGNITUDE_STEP * position),
                count=int(counts[position]),
                mean_abs_error=float(sums[position] / counts[position]),
                max_abs_error=float(maxima[position]),
            )
            for position in np.flatnonzero(counts)
        ]

    def _add_directions(self, values: np.ndarray, wanted: np.ndarray) -> None:
        lengths = np.linalg.norm(values, axis=1) * np.linalg.norm(wanted, axis=1)
        directed = lengths > 0
        if directed.any():
            cosines = (values * wanted).sum(axis=1)[directed] / lengths[directed]
            self.cosines += float(cosines.sum())
            self.lowest_cosine = min(self.lowest_cosine, float(cosines.min()))
            self.directions += int(directed.sum())

    def _add_magnitudes(self, magnitudes: np.ndarray, differences: np.ndarray) -> None:
        with np.errstate(divide="ignore"):
            steps = np.log10(magnitudes) / MAGNITUDE_STEP
        bins = np.clip(np.floor(steps) - MAGNITUDE_LOWEST / MAGNITUDE_STEP, 0, MAGNITUDE_BINS - 1).astype(np.int64)
        self.by_magnitude[0] += np.bincount(bins, minlength=MAGNITUDE_BINS)
        self.by_magnitude[1] += np.bincount(bins, weights=differences, minlength=MAGNITUDE_BINS)
        for position in np.unique(bins):
            largest = float(differences[bins == position].max())
            self.by_magnitude[2, position] = max(self.by_magnitude[2, position], largest)

    def _add_scores(self, values: np.ndarray, wanted: np.ndarray) -> None:
        self.scored += len(values)
        self.top1 += int((values.argmax(axis=1) == wanted.argmax(axis=1)).sum())
        if values.shape[1] > TOP:
            ours, theirs = (np.sort(np.argpartition(-rows, TOP, axis=1)[:, :TOP], axis=1) for rows in (values, wanted))
            self.top5 += int((ours == theirs).all(axis=1).sum())
