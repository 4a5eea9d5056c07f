"""What a verification found, typed and complete: it is computed once, and all that is shown of it is read from here.

The fields' names are those of ``report.json``, which docs/report.schema.json describes one by one: units, and when a
figure is ``None``. Errors are absolute, in the output's own unit, unless a name says otherwise.
"""

from dataclasses import dataclass, replace
from typing import Any, Dict, List, Optional

from ferry.verify.coverage.input_coverage import InputCoverage
from ferry.verify.pieces.stage_pieces import StagePieces

# What the program ends with where a stage did not pass.
EXIT_FAILED = 2


@dataclass(frozen=True)
class Three:
    """The mean, the 99.9th percentile and the maximum of one kind of error."""

    mean: Optional[float]
    p999: Optional[float]
    max: Optional[float]


@dataclass(frozen=True)
class ErrorFigures:
    """One output's distance from one of the two references. ``relative`` is over the output's mean magnitude."""

    absolute: Three
    relative: Three
    noise_multiple: Optional[Three]
    worst_sample: int


@dataclass(frozen=True)
class Cosine:
    """Of the angle between a sample's output and the reference's."""

    mean: float
    lowest: float


@dataclass(frozen=True)
class ErrorHistogram:
    """How many errors lie in each bin of ``log10_step`` from ``log10_from`` on; ``below`` counts those that are 0."""

    log10_from: float
    log10_step: float
    counts: List[int]
    below: int


@dataclass(frozen=True)
class MagnitudeBin:
    """The errors of the values whose magnitude is between 10^``log10_from`` and half a decade more."""

    log10_from: float
    count: int
    mean_abs_error: float
    max_abs_error: float


@dataclass(frozen=True)
class Measures:
    """All that was measured of one output of one runtime."""

    finite: bool
    against_reference: Optional[ErrorFigures]
    against_float32: Optional[ErrorFigures]
    unequal_values: int
    cosine: Optional[Cosine]
    psnr_db: Optional[float]
    top1_agreement: Optional[float]
    top5_agreement: Optional[float]
    histogram: ErrorHistogram
    by_magnitude: List[MagnitudeBin]


@dataclass(frozen=True)
class Limits:
    """How far an output may be from the reference."""

    absolute: Three
    relative: Three


@dataclass(frozen=True)
class PartGroup:
    """Some places along an axis that are judged together."""

    indices: List[int]
    mean_abs_error: float
    allowed: float


@dataclass(frozen=True)
class PartPlace:
    """One place along an axis: a channel, a class, a coordinate."""

    index: int
    mean_abs_error: float
    noise: Optional[float]
    mean_magnitude: float


@dataclass(frozen=True)
class PartFigures:
    """The errors along one axis of an output, the worst places first."""

    axis: int
    length: int
    groups: int
    worst_group: Optional[PartGroup]
    worst: List[PartPlace]


@dataclass(frozen=True)
class OutputVerdict(Measures):
    """One output of one stage.

    ``exceeded`` names the figures above their limit: ``mean``, ``p999``, ``max``, ``part``. ``over_allowed`` is the
    mean error over what is allowed, ``None`` where nothing was measured or nothing rounds.
    """

    passed: bool
    fault: Optional[str]
    allowed: Optional[Limits]
    over_allowed: Optional[float]
    exceeded: List[str]
    parts: List[PartFigures]


@dataclass(frozen=True)
class Artifact:
    """A stage's file as it was checked; ``None`` where it could not be read."""

    path: str
    bytes: Optional[int]
    sha256: Optional[str]


@dataclass(frozen=True)
class Percentiles:
    """Milliseconds of one inference."""

    median: float
    p10: float
    p90: float


@dataclass(frozen=True)
class LatencyFigures:
    """How long inferences took, ``seconds`` all together."""

    milliseconds: Optional[Percentiles]
    seconds: float


@dataclass(frozen=True)
class WorstSample:
    """The input on which a stage is worst, beside the output's scale."""

    index: int
    output: str
    max_abs_error: float


@dataclass(frozen=True)
class Cause:
    """Where a stage first differs from what it was built from. ``lines`` say it all; the rest may not be known.

    ``scope`` is the PyTorch module that ``node`` came from, ``line`` the line of the user's that made it.
    """

    step: Optional[str]
    tensor: str
    node: Optional[str]
    operator: Optional[str]
    scope: Optional[str]
    line: Optional[str]
    error: Optional[float]
    lines: List[str]


@dataclass(frozen=True)
class StageVerdict:
    """One stage. ``run`` is false where it could not be run to its end, and ``fault`` then says why.

    ``pieces`` is what came of it piece by piece, ``None`` where that was not tried. ``remark`` says of a stage that
    passed by its pieces alone how it rounds more than PyTorch does.
    """

    passed: bool
    run: bool
    fault: Optional[str]
    artifact: Artifact
    latency: LatencyFigures
    operators: Optional[Dict[str, int]]
    worst_sample: Optional[WorstSample]
    worst_input: Optional[str]
    where: Optional[Cause]
    mean_abs_error: Optional[float]
    max_abs_error: Optional[float]
    noise_multiple: Optional[float]
    top1_agreement: Optional[float]
    top5_agreement: Optional[float]
    lowest_cosine: Optional[float]
    psnr_db: Optional[float]
    outputs: Dict[str, OutputVerdict]
    pieces: Optional[StagePieces] = None
    remark: Optional[str] = None


@dataclass(frozen=True)
class Tensor:
    """An input of the model."""

    name: str
    shape: List[int]
    dtype: str


@dataclass(frozen=True)
class IntegerInput:
    """The range that an integer input was drawn from: the rows of the ``table`` that it reads, or the example's."""

    name: str
    lowest: int
    highest: int
    table: bool


@dataclass(frozen=True)
class Inputs:
    """What the model was given. ``integers`` are the ranges that integers were drawn from, where they were."""

    kind: str
    text: str
    path: Optional[str]
    sha256: Optional[str]
    seed: Optional[int]
    integers: List[IntegerInput]
    tensors: List[Tensor]


@dataclass(frozen=True)
class Criterion:
    """The constants that the limits were computed with."""

    article_threshold: float
    multiple: float
    threshold_without_float64: float
    p999_over_mean: float
    maximum_over_mean: float
    largest_tolerance: float


@dataclass(frozen=True)
class OutputFigures:
    """One output of the reference."""

    shape: List[int]
    dtype: str
    mean_magnitude: Optional[float]
    minimum: Optional[float]
    maximum: Optional[float]
    spread: Optional[float]


@dataclass(frozen=True)
class ReferenceFigures:
    """What the stages were compared with. ``remade`` counts the inputs whose kept reference had been altered.

    ``float64_samples`` counts the inputs that PyTorch ran in float64 too.
    """

    runtime: str
    dtype: str
    reason: Optional[str]
    key: str
    kept: bool
    reused: bool
    remade: int
    float64_samples: int
    latency: Dict[str, LatencyFigures]
    outputs: Dict[str, OutputFigures]


@dataclass(frozen=True)
class Settings:
    """What was asked for."""

    samples: int
    layout: str
    inputs: Optional[str]
    tolerance: Optional[float]
    processors: int
    device: str


@dataclass(frozen=True)
class Verdict:
    """The whole. ``fault`` says why nothing could be proved; there are then no stages. ``notes`` are for the reader.

    ``coverage`` is what the inputs reach of the model, ``None`` where nothing was measured.
    """

    model: str
    passed: bool
    fault: Optional[str]
    notes: List[str]
    samples: int
    seconds: Optional[float]
    settings: Settings
    inputs: Optional[Inputs]
    criterion: Optional[Criterion]
    reference: Optional[ReferenceFigures]
    noise_floor: Optional[Dict[str, Measures]]
    stages: Dict[str, StageVerdict]
    provenance: Dict[str, Any]
    coverage: Optional[InputCoverage] = None

    @property
    def exit_code(self) -> int:
        """What the program ends with; where nothing could be proved, the error that said so has its own."""
        return 0 if self.passed else EXIT_FAILED

    @property
    def first_off(self) -> Optional[str]:
        """The first stage that failed by its values and of which the place is not known: a bisection can find it."""
        off = (name for name, stage in self.stages.items() if not stage.passed and stage.worst_sample)
        first = next(off, None)
        return first if first is not None and self.stages[first].where is None else None

    def located(self, stage: str, where: Cause) -> "Verdict":
        """The same verdict with the place where ``stage`` broke."""
        return replace(self, stages={**self.stages, stage: replace(self.stages[stage], where=where)})
