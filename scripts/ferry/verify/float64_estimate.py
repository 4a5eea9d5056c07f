"""Do the samples that PyTorch ran in float64 too decide what all of them would say?

Every stage is held against PyTorch in float32 on all samples. From there to float64 it is no farther than PyTorch's own
rounding, by the triangle inequality: | |t - f64| - |t - f32| | <= |f32 - f64|. So a mean over all samples is the mean
distance from float32, which is known, and a correction that is small whatever a stage does, which is estimated from
samples drawn at random (W. G. Cochran, Sampling Techniques, ch. 7). A fault that few inputs show moves the part that is
known. What is not decided so is decided by float64 on all samples.
"""

from typing import NamedTuple, Optional

import numpy as np

from ferry.verify import criterion
from ferry.verify.criterion import Judgement, Part
from ferry.verify.measure import Outcome
from ferry.verify.output_errors import OutputErrors
from ferry.verify.output_summary import OutputSummary
from ferry.verify.sample_means import SampleMeans

# Standard errors that are allowed for on either side of a mean: 1 in 1,000 is farther off.
SURE = 3.09
# A percentile has no such simple error: this share of its limit is what an estimate may come to.
PERCENTILE_MARGIN = 0.8


def decides(outcome: Outcome, tolerance: Optional[float]) -> bool:
    """Whether the verdict on every output of every stage would be the same with all samples in float64.

    ``tolerance`` is the user's own limit.
    """
    reference, count = outcome.reference, outcome.source.count
    if reference.noise is None or reference.float64_samples >= count:
        return True
    return all(
        Estimate(summary, noise, errors, tolerance, count).decides
        for stage in outcome.stages.values()
        for summary, noise, errors in zip(reference.summaries, reference.noise, stage.errors or [])
    )


class Estimate(NamedTuple):
    """One output of one stage over so many ``samples``, of which the reference has some, drawn at random."""

    summary: OutputSummary
    noise: OutputErrors
    errors: OutputErrors
    tolerance: Optional[float]
    samples: int

    @property
    def decides(self) -> bool:
        """Whether it passes surely, or fails surely."""
        if not self.errors.finite:
            return True
        if self.summary.spec.dtype.kind != "f":
            # What equals PyTorch in float32 on every sample cannot differ from both.
            return not self.errors.unequal
        judgement = criterion.judge(self.summary, self.noise, self.errors, self.tolerance)
        return self._surely_right(judgement) if judgement.fault is None else self._surely_wrong(judgement)

    def _surely_right(self, judgement: Judgement) -> bool:
        limits, errors, floor = judgement.allowed, self.errors, self._floor
        assert limits is not None
        mean = float(errors.float32.mean + self._correction(1))
        largest = self._lowered(limits.maximum, criterion.MAXIMUM_OVER_MEAN * floor)
        p999 = PERCENTILE_MARGIN * self._lowered(limits.p999, criterion.P999_OVER_MEAN * floor)
        return (
            mean <= self._lowered(limits.mean, floor)
            and self._p999() <= p999
            # If PyTorch rounds by more than the other half somewhere, twice that is allowed.
            and errors.float32.largest <= largest / 2
            and all(self._part_is_right(part) for part in judgement.parts)
        )

    def _surely_wrong(self, judgement: Judgement) -> bool:
        assert judgement.allowed is not None
        return float(self.errors.float32.mean + self._correction(-1)) > judgement.allowed.mean * (1 + self._doubt)

    def _correction(self, side: int) -> float:
        """What the mean distance from float32 is to be corrected by, at most (1) or at least (-1)."""
        found = self.errors.beyond_float32
        return float(found.mean + side * SURE * found.standard_error(self.samples))

    def _p999(self) -> float:
        """The percentile against float64, if it is to that against float32 as it is where both are known."""
        paired, every = self.errors.paired.p999, self.errors.float32.p999
        if every <= paired:
            return self.errors.reference.p999
        return self.errors.reference.p999 * every / paired if paired else every + self.noise.reference.p999

    def _part_is_right(self, part: Part) -> bool:
        places = self.errors.places[part.axis]
        corrections = places.beyond_float32
        # The deviation of a mean over places is no more than the mean of theirs.
        unsure = SURE * float(corrections.standard_error(self.samples)[part.indices].mean())
        found = float((places.float32.mean + corrections.mean)[part.indices].mean()) + unsure
        doubt = max(self._doubt, self._doubt_of(self.noise.places[part.axis].reference, part.indices))
        return found <= self._lowered(part.allowed, part.floor, doubt)

    @property
    def _floor(self) -> float:
        return 0.0 if self.tolerance is not None else criterion.ARTICLE_THRESHOLD * self.summary.magnitude

    @property
    def _doubt(self) -> float:
        return self._doubt_of(self.noise.from_reference, ...)

    def _doubt_of(self, rounding: SampleMeans, indices: object) -> float:
        """The share by which PyTorch's rounding, and so a limit, may be less than it was seen to be."""
        if self.tolerance is not None:
            return 0.0
        mean = float(np.mean(rounding.mean[indices]))
        return SURE * float(np.mean(rounding.standard_error(self.samples)[indices])) / mean if mean else 0.0

    def _lowered(self, limit: float, floor: float, doubt: Optional[float] = None) -> float:
        """``limit`` as it may be with all samples in float64: no less than ``floor``, if it is not less itself."""
        return max(min(limit, floor), limit * (1 - (self._doubt if doubt is None else doubt)))
