"""How far one output is from the reference's, gathered as the samples come. Memory does not grow with them."""

import math
from typing import Dict, List, Optional, Union

import numpy as np

from ferry.runtimes import TensorSpec
from ferry.verify.log_histogram import LogHistogram
from ferry.verify.output_summary import looks_like_scores, means_along, part_axes
from ferry.verify.sample_means import SampleMeans
from ferry.verify.verdict import MagnitudeBin

# Errors are also told by the magnitude of the value they befell, in steps of half a decade between these.
MAGNITUDE_STEP, MAGNITUDE_LOWEST, MAGNITUDE_BINS = 0.5, -12, 48
TOP = 5

Rows = Union[slice, np.ndarray]


class Largest:
    """The largest absolute difference between two arrays, and the sample that it is in."""

    def __init__(self) -> None:
        self.largest, self.worst_sample = 0.0, 0

    def add(self, samples: np.ndarray, differences: np.ndarray) -> None:
        """Take in finite, non-negative ``differences`` [samples, elements], of ``samples`` by their positions."""
        if differences.size:
            row = int(differences.max(axis=1).argmax())
            self._take(float(differences[row].max()), int(samples[row]))

    def merge(self, other: "Largest") -> None:
        """Take in all that ``other`` has seen."""
        self._take(other.largest, other.worst_sample)

    def _take(self, largest: float, sample: int) -> None:
        # Of equal ones the first, whichever came in first.
        if (largest, -sample) > (self.largest, -self.worst_sample):
            self.largest, self.worst_sample = largest, sample


class Distance(Largest):
    """The absolute differences between two arrays, one sample after another."""

    def __init__(self) -> None:
        super().__init__()
        self.count, self.total, self.squares = 0, 0.0, 0.0
        self.histogram = LogHistogram()

    def add(self, samples: np.ndarray, differences: np.ndarray) -> None:
        super().add(samples, differences)
        self.count += differences.size
        self.total += float(differences.sum())
        self.squares += float(np.square(differences).sum())
        self.histogram.add(differences)

    def merge(self, other: Largest) -> None:
        assert isinstance(other, Distance)
        super().merge(other)
        self.count += other.count
        self.total += other.total
        self.squares += other.squares
        self.histogram.merge(other.histogram)

    @property
    def mean(self) -> float:
        """The mean absolute difference."""
        return self.total / self.count if self.count else 0.0

    @property
    def p999(self) -> float:
        """The 99.9th percentile of the absolute differences."""
        return min(self.histogram.percentile(0.999), self.largest)


class PlaceErrors:
    """The errors along one axis: from the reference and, on the same samples and on all, from PyTorch in float32."""

    def __init__(self, places: int):
        self.reference, self.beyond_float32 = SampleMeans((places,)), SampleMeans((places,))
        self.float32 = SampleMeans((places,))

    def merge(self, other: "PlaceErrors") -> None:
        """Take in all that ``other`` has seen."""
        self.reference.merge(other.reference)
        self.beyond_float32.merge(other.beyond_float32)
        self.float32.merge(other.float32)


class OutputErrors:
    """One runtime's one output against the reference, and against PyTorch in float32.

    ``reference`` and ``float32`` are the distances from each: of the samples that the reference has, and of all.
    ``paired`` is that from float32 on the samples that the reference has, ``beyond_float32`` by how much a sample's
    mean distance from the reference is more than from float32. ``known`` is the distance from the reference where
    there is one, and else from float32; ``unequal`` counts the elements that equal neither.
    """

    def __init__(self, spec: TensorSpec):
        self.spec = spec
        self.finite = True
        self.reference, self.float32, self.paired, self.known = Distance(), Distance(), Distance(), Largest()
        self.beyond_float32, self.from_reference = SampleMeans(), SampleMeans()
        self.unequal = 0
        self.cosines, self.lowest_cosine, self.directions = 0.0, math.inf, 0
        self.scored, self.top1, self.top5 = 0, 0, 0
        self.places: Dict[int, PlaceErrors] = {axis: PlaceErrors(spec.shape[axis]) for axis in part_axes(spec.shape)}
        self.by_magnitude = np.zeros((3, MAGNITUDE_BINS))

    def add(
        self,
        start: int,
        made: np.ndarray,
        reference: np.ndarray,
        float32: np.ndarray,
        rows: Optional[np.ndarray] = None,
    ) -> None:
        """Take in the samples from ``start`` on; each array is [samples, *shape], and the two references are finite.

        ``rows`` are those of the samples that ``reference`` holds, ``None`` where it holds all.
        """
        values, count = made.astype(np.float64), len(made)
        if not np.isfinite(values).all():
            self.finite = False
            return
        taken: Rows = slice(None) if rows is None else rows
        wanted = float32.astype(np.float64)
        narrow = np.abs(values - wanted)
        wanted[taken] = reference
        differences = np.abs(values - wanted)
        self._add_distances(start, differences.reshape(count, -1), narrow.reshape(count, -1), taken)
        for axis, places in self.places.items():
            apart, beside = means_along(axis, differences[taken]), means_along(axis, narrow)
            places.reference.add(apart)
            places.beyond_float32.add(apart - beside[taken])
            places.float32.add(beside)
        self.unequal += int(np.count_nonzero((differences > 0) & (narrow > 0)))
        self._add_directions(values.reshape(count, -1), wanted.reshape(count, -1))
        self._add_magnitudes(np.abs(wanted[taken]).reshape(-1), differences[taken].reshape(-1))
        if looks_like_scores(self.spec):
            classes = self.spec.shape[1]
            self._add_scores(values.reshape(-1, classes), wanted.reshape(-1, classes))

    def merge(self, other: "OutputErrors") -> None:
        """Take in all that ``other`` has seen."""
        self.finite = self.finite and other.finite
        self.reference.merge(other.reference)
        self.float32.merge(other.float32)
        self.paired.merge(other.paired)
        self.known.merge(other.known)
        self.beyond_float32.merge(other.beyond_float32)
        self.from_reference.merge(other.from_reference)
        self.unequal += other.unequal
        self.cosines += other.cosines
        self.lowest_cosine = min(self.lowest_cosine, other.lowest_cosine)
        self.directions += other.directions
        self.scored, self.top1, self.top5 = self.scored + other.scored, self.top1 + other.top1, self.top5 + other.top5
        for axis, places in self.places.items():
            places.merge(other.places[axis])
        self.by_magnitude[:2] += other.by_magnitude[:2]
        np.maximum(self.by_magnitude[2], other.by_magnitude[2], out=self.by_magnitude[2])

    def part_means(self, axis: int) -> np.ndarray:
        """The mean absolute difference from the reference for each place along ``axis``."""
        return self.places[axis].reference.mean

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

    def _add_distances(self, start: int, differences: np.ndarray, narrow: np.ndarray, taken: "Rows") -> None:
        samples = start + np.arange(len(narrow))
        self.known.add(samples, differences)
        self.float32.add(samples, narrow)
        self.reference.add(samples[taken], differences[taken])
        self.paired.add(samples[taken], narrow[taken])
        if narrow.size:
            apart = differences[taken].mean(axis=1)
            self.from_reference.add(apart)
            self.beyond_float32.add(apart - narrow[taken].mean(axis=1))

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
