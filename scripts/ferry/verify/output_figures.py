"""The figures of one output: what was gathered of it, as numbers that a reader can look at and JSON can hold."""

from typing import Iterable, List, Optional

from ferry.verify import criterion
from ferry.verify.criterion import Allowed, Judgement
from ferry.verify.output_errors import Distance, OutputErrors
from ferry.verify.output_summary import OutputSummary
from ferry.verify.verdict import (
    Cosine,
    ErrorFigures,
    ErrorHistogram,
    Limits,
    Measures,
    OutputFigures,
    OutputVerdict,
    PartFigures,
    PartGroup,
    PartPlace,
    Three,
)

# The bins of the error histograms, in log10 of the absolute error.
HISTOGRAM_STEP = 0.25
WORST_PARTS = 16


def of_reference(summary: OutputSummary) -> OutputFigures:
    """An output of the reference."""
    return OutputFigures(
        shape=list(summary.spec.shape),
        dtype=str(summary.spec.dtype),
        mean_magnitude=_finite(summary.magnitude),
        minimum=_finite(summary.lowest),
        maximum=_finite(summary.highest),
        spread=_finite(summary.spread),
    )


def measures(summary: OutputSummary, errors: OutputErrors, noise: Optional[OutputErrors]) -> Measures:
    """All that was measured of one output; ``noise`` is what PyTorch's float32 was off by, if that is known."""
    start, counts = errors.reference.histogram.decades(HISTOGRAM_STEP)
    classes = errors.spec.shape[-1] if errors.scored else 0
    directed = errors.directions and errors.finite
    return Measures(
        finite=errors.finite,
        against_reference=_distance(errors.reference, summary, noise.reference if noise else None, errors.finite),
        against_float32=_distance(errors.float32, summary, None, errors.finite),
        unequal_values=errors.unequal,
        cosine=Cosine(errors.cosines / errors.directions, errors.lowest_cosine) if directed else None,
        psnr_db=_finite(errors.psnr(summary.range())),
        top1_agreement=errors.top1 / errors.scored if errors.scored else None,
        top5_agreement=errors.top5 / errors.scored if classes > 5 else None,
        histogram=ErrorHistogram(start, HISTOGRAM_STEP, counts, errors.reference.histogram.small),
        by_magnitude=errors.magnitudes(),
    )


def verdict(
    summary: OutputSummary, errors: OutputErrors, noise: Optional[OutputErrors], judgement: Judgement
) -> OutputVerdict:
    """One output of a stage, with the ``judgement`` of it."""
    limits = judgement.allowed
    mean = limits.mean if limits is not None and errors.finite and errors.reference.count else None
    return OutputVerdict(
        **vars(measures(summary, errors, noise)),
        passed=judgement.fault is None,
        fault=judgement.fault,
        allowed=None if limits is None else _limits(limits, summary.magnitude),
        over_allowed=None if mean is None else _ratio(errors.reference.mean, mean),
        exceeded=list(judgement.exceeded),
        parts=_parts(summary, errors, noise, judgement.parts),
    )


def _distance(
    distance: Distance, summary: OutputSummary, noise: Optional[Distance], finite: bool
) -> Optional[ErrorFigures]:
    if not finite or not distance.count:
        return None
    absolute = [distance.mean, distance.p999, distance.largest]
    floors = [noise.mean, noise.p999, noise.largest] if noise else []
    multiples = [_ratio(value, floor) for value, floor in zip(absolute, floors)]
    return ErrorFigures(
        absolute=Three(*absolute),
        relative=Three(*(_ratio(value, summary.magnitude) for value in absolute)),
        noise_multiple=Three(*multiples) if multiples else None,
        worst_sample=distance.worst_sample,
    )


def _limits(allowed: Allowed, scale: float) -> Limits:
    return Limits(Three(*allowed), Three(*(_ratio(value, scale) for value in allowed)))


def _parts(
    summary: OutputSummary, errors: OutputErrors, noise: Optional[OutputErrors], judged: Iterable[criterion.Part]
) -> List[PartFigures]:
    """For each axis its length and the places along it where the error is worst beside what is allowed there."""
    judged = list(judged)
    return [_part(axis, summary, errors, noise, judged) for axis in summary.parts] if judged else []


def _part(
    axis: int,
    summary: OutputSummary,
    errors: OutputErrors,
    noise: Optional[OutputErrors],
    judged: List[criterion.Part],
) -> PartFigures:
    means, magnitudes = errors.part_means(axis), summary.part_magnitudes(axis)
    floors = noise.part_means(axis) if noise is not None else None
    groups = [part for part in judged if part.axis == axis]
    worst = max(groups, key=lambda part: part.error / part.allowed, default=None)
    order = sorted(range(len(means)), key=lambda place: -means[place])[:WORST_PARTS]
    return PartFigures(
        axis=axis,
        length=len(means),
        groups=len(groups),
        worst_group=None
        if worst is None
        else PartGroup(sorted(int(index) for index in worst.indices)[:WORST_PARTS], worst.error, worst.allowed),
        worst=[
            PartPlace(
                place, float(means[place]), None if floors is None else float(floors[place]), float(magnitudes[place])
            )
            for place in order
        ],
    )


def _ratio(value: float, scale: float) -> Optional[float]:
    return value / scale if scale else None


def _finite(value: Optional[float]) -> Optional[float]:
    # JSON has no NaN and no infinity.
    return value if value is not None and value - value == 0 else None
