"""The mean over samples of one figure a sample, or of several, and how surely it is known from some of them."""

from typing import Tuple

import numpy as np


class SampleMeans:
    """Figures of the given ``shape`` a sample. Memory does not grow with the samples."""

    def __init__(self, shape: Tuple[int, ...] = ()):
        self.samples = 0
        self._total, self._squares = np.zeros(shape), np.zeros(shape)

    def add(self, figures: np.ndarray) -> None:
        """Take in the ``figures`` of some samples: [samples, *shape]."""
        self.samples += len(figures)
        self._total += figures.sum(axis=0)
        self._squares += np.square(figures).sum(axis=0)

    def merge(self, other: "SampleMeans") -> None:
        """Take in all that ``other`` has seen."""
        self.samples += other.samples
        self._total += other._total
        self._squares += other._squares

    @property
    def mean(self) -> np.ndarray:
        """The mean over the samples seen."""
        return self._total / max(self.samples, 1)

    def standard_error(self, population: int) -> np.ndarray:
        """That of the mean, where the samples were drawn at random from ``population`` of them, each at most once."""
        if self.samples >= population:
            return np.zeros(self._total.shape)
        if self.samples < 2:
            return np.full(self._total.shape, np.inf)
        variance = np.maximum(self._squares / self.samples - np.square(self.mean), 0) / (self.samples - 1)
        # W. G. Cochran, Sampling Techniques, ch. 2: where most of them were drawn little is left to chance.
        return np.sqrt(variance * (1 - self.samples / population))
