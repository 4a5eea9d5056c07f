"""When a stage passes, and the sentence that says why when it does not."""

import math
from typing import List, NamedTuple, Optional, Tuple

import numpy as np

from ferry.verify.output_errors import OutputErrors
from ferry.verify.output_summary import OutputSummary

# The article called a model converted below this mean absolute error. Here it is a share of the output's scale.
ARTICLE_THRESHOLD = 1e-6
# A conversion adds in another order than PyTorch does, so it rounds elsewhere, and by no more than this many times.
MULTIPLE = 2.0
# With fewer inputs than this the rounding is itself known only roughly: to one part in the root of their number.
CERTAIN_SAMPLES = 30
# So it is with fewer values a sample, however many the samples: where an output hardly varies, the same value is off by
# the same in each. Single classes of MobileNetV2 on random inputs are off by up to 5 times what PyTorch rounds them by.
CERTAIN_VALUES = 100
# A normal distribution has its 99.9th percentile at 4.1 times its mean absolute value.
P999_OVER_MEAN = 4.0
# A mean and a percentile hide one wrong value among a million, so the largest error has a limit of its own.
MAXIMUM_OVER_MEAN = 25.0
# Where there is no float64 to compare with, two roundings lie between a stage and PyTorch and neither is known.
THRESHOLD_WITHOUT_FLOAT64 = 4e-6
# No rounding excuses more: outputs that float32 rounds by more than this are not ones that can be relied on.
LARGEST_TOLERANCE = 1e-3
# Places of an output that have too few values are taken together, as long as there are so many groups of them left.
FEWEST_GROUPS = 8
# A part this much smaller than its output is not measured against itself: it may be a channel that is all but dead.
SMALLEST_PART = 1e-4


# The figures of an output that have a limit, in the order of ``Allowed``, and where they are in a sentence.
FIGURES = {"mean": "in the mean", "p999": "at the 99.9th percentile", "max": "at worst"}


class Allowed(NamedTuple):
    """How far one output may be from the reference, in the output's own unit."""

    mean: float
    p999: float
    maximum: float


class Part(NamedTuple):
    """Some places along an axis of an output whose values are of like magnitude, and the mean error there.

    ``floor`` is what is allowed there however little PyTorch rounds.
    """

    axis: int
    indices: np.ndarray
    error: float
    allowed: float
    floor: float


class Judgement(NamedTuple):
    """One output: its limits if it rounds at all, its parts, the figures above their limits, and what is wrong."""

    allowed: Optional[Allowed]
    parts: Tuple[Part, ...]
    exceeded: Tuple[str, ...]
    fault: Optional[str]


def allowed(summary: OutputSummary, noise: Optional[OutputErrors], tolerance: Optional[float]) -> Allowed:
    """The limits for one output.

    ``noise`` is PyTorch's float32 against its float64, ``None`` where float64 could not be run. ``tolerance`` is the
    user's own limit for the mean, as a share of the output's mean magnitude, which overrides both.
    """
    scale, values = summary.magnitude, summary.count / max(summary.samples, 1)
    if tolerance is not None or noise is None:
        mean = scale * (THRESHOLD_WITHOUT_FLOAT64 if tolerance is None else tolerance)
        return Allowed(mean, P999_OVER_MEAN * mean, MAXIMUM_OVER_MEAN * mean)
    multiple, floor, ceiling = (
        multiple_of(summary.samples, values),
        ARTICLE_THRESHOLD * scale,
        LARGEST_TOLERANCE * scale,
    )
    distance = noise.reference
    mean = min(max(floor, multiple * distance.mean), ceiling)
    p999 = min(max(P999_OVER_MEAN * floor, multiple * distance.p999), P999_OVER_MEAN * ceiling)
    maximum = max(MAXIMUM_OVER_MEAN * mean, min(multiple * distance.largest, MAXIMUM_OVER_MEAN * ceiling))
    return Allowed(mean, p999, maximum)


def multiple_of(samples: int, values: float) -> float:
    """How many times PyTorch's own rounding a stage may be off by, after so many inputs with so many values each."""
    certain = (CERTAIN_SAMPLES / max(samples, 1), CERTAIN_VALUES / max(values, 1))
    return MULTIPLE * math.prod(max(1.0, math.sqrt(share)) for share in certain)


def parts(
    summary: OutputSummary, noise: Optional[OutputErrors], errors: OutputErrors, tolerance: Optional[float]
) -> List[Part]:
    """The parts of one output, such as a box's coordinates and its scores, each with a limit by its own scale.

    One scale for a whole output would hide an error in those of its channels whose values are small. The places along
    an axis are put in the order of their magnitude, and neighbours taken together until there are ``CERTAIN_VALUES``. A
    part may round by what it was seen to round by, or by the share of its scale that the whole output rounds by.
    """
    found: List[Part] = []
    share = noise.reference.mean / (summary.magnitude or 1.0) if noise is not None else 0.0
    for axis in summary.parts:
        values = summary.count / max(summary.samples, 1) / summary.spec.shape[axis]
        magnitudes, differences = summary.part_magnitudes(axis), errors.part_means(axis)
        rounding = noise.part_means(axis) if noise is not None else None
        group = max(1, min(math.ceil(CERTAIN_VALUES / max(values, 1)), len(magnitudes) // FEWEST_GROUPS))
        order = np.argsort(magnitudes, kind="stable")
        for indices in np.array_split(order, len(magnitudes) // group):
            scale = max(float(magnitudes[indices].mean()), SMALLEST_PART * summary.magnitude)
            if tolerance is not None or rounding is None:
                limit = floor = scale * (THRESHOLD_WITHOUT_FLOAT64 if tolerance is None else tolerance)
            else:
                multiple = multiple_of(summary.samples, values * len(indices))
                widest = multiple * max(float(rounding[indices].mean()), share * scale)
                # Places of one vector round alike, however small their values: the limit to that is the whole output's.
                ceiling = LARGEST_TOLERANCE * max(scale, summary.magnitude)
                floor = ARTICLE_THRESHOLD * multiple / MULTIPLE * scale
                limit = min(max(floor, widest), ceiling)
            found.append(Part(axis, indices, float(differences[indices].mean()), limit, floor))
    return found


def worst_output(summaries: List[OutputSummary], errors: Optional[List[OutputErrors]]) -> Optional[OutputErrors]:
    """The output whose largest error is largest beside its scale; ``None`` where nothing could be measured."""
    if not errors or not all(found.finite for found in errors):
        return None
    shares = [found.known.largest / (summary.magnitude or 1.0) for summary, found in zip(summaries, errors)]
    return errors[shares.index(max(shares))]


def judge(
    summary: OutputSummary, noise: Optional[OutputErrors], errors: OutputErrors, tolerance: Optional[float] = None
) -> Judgement:
    """Whether one output of a stage is close enough to the reference."""
    name, kind = summary.spec.name, summary.spec.dtype
    if not errors.finite:
        fault = f"{name} holds values of NaN or infinity where PyTorch's do not"
        return Judgement(allowed(summary, noise, tolerance) if kind.kind == "f" else None, (), (), fault)
    if kind.kind in "iub":
        differs = f"{name} is of {kind}, which does not round, and differs in {errors.unequal} values"
        return Judgement(None, (), (), differs if errors.unequal else None)
    limits, scale, distance = allowed(summary, noise, tolerance), summary.magnitude or 1.0, errors.reference
    found = Allowed(distance.mean, distance.p999, distance.largest)
    exceeded = [figure for figure, value, limit in zip(FIGURES, found, limits) if value > limit]
    faults = [
        f"{name} is off by {value / scale:.1e} of its scale {FIGURES[figure]}; {limit / scale:.1e} is allowed"
        for figure, value, limit in zip(FIGURES, found, limits)
        if figure in exceeded
    ]
    judged = parts(summary, noise, errors, tolerance)
    worst = max(judged, key=lambda part: part.error / part.allowed, default=None)
    if worst is not None and worst.error > worst.allowed:
        exceeded.append("part")
        faults.append(
            f"{name} is off by {worst.error:.1e} in the mean at {_listed(worst.indices)} of axis {worst.axis}; "
            f"{worst.allowed:.1e} is allowed there"
        )
    return Judgement(limits, tuple(judged), tuple(exceeded), faults[0] if faults else None)


def _listed(indices: np.ndarray, most: int = 4) -> str:
    shown = ", ".join(str(index) for index in sorted(indices)[:most])
    return shown + (f" and {len(indices) - most} more" if len(indices) > most else "")
