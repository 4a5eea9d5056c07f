"""What a proof of a quantized file found, typed: docs/report.schema.json describes the fields one by one."""

from dataclasses import dataclass
from typing import Dict, List, Optional


@dataclass(frozen=True)
class OperatorFidelity:
    """One operator of the quantized file.

    ``ratio`` is its error over that of an ideal quantizer, ``channel_ratio`` the worst channel's; ``weights_ratio`` is
    the constants' error over what rounding costs, ``bias_ratio`` the bias's over what it may be off by. ``measured``
    and ``held`` are the range of its output by Ferry's measure, and what the file's steps can hold. ``saturated`` is
    the share of values beyond that. ``matched`` says whether the float file has this operator; ``unjudged`` why it is
    judged by the outputs alone.
    """

    name: str
    operator: str
    position: int
    matched: bool
    ratio: Optional[float] = None
    channel: Optional[int] = None
    channel_ratio: Optional[float] = None
    weights_ratio: Optional[float] = None
    bias_ratio: Optional[float] = None
    measured: Optional[List[float]] = None
    held: Optional[List[float]] = None
    saturated: Optional[float] = None
    fault: Optional[str] = None
    unjudged: Optional[str] = None


@dataclass(frozen=True)
class OutputCost:
    """One output of the quantized file.

    ``ratio`` is its error over that of the simulated scheme; ``simulated_sqnr_db`` is what that leaves. A centred SQNR
    leaves out what is the same for every input. ``None`` where it could not be simulated, or has no error at all.
    """

    name: str
    mean_abs_error: float
    max_abs_error: float
    sqnr_db: Optional[float]
    centred_sqnr_db: Optional[float]
    cosine: Optional[float]
    ratio: Optional[float]
    simulated_sqnr_db: Optional[float]
    simulated_centred_sqnr_db: Optional[float]


@dataclass(frozen=True)
class OperatorCost:
    """What the outputs gain when this operator alone stays in float: its share of the squared error."""

    name: str
    operator: str
    share: float


@dataclass(frozen=True)
class Flip:
    """An input on which the two models decide otherwise. ``margin`` is the float model's, between the two classes."""

    sample: int
    margin: float
    wanted: int
    made: int


@dataclass(frozen=True)
class Decisions:
    """The decisions on one output of class scores. ``sure_flips`` are those whose margin exceeds predicted noise."""

    output: str
    count: int
    agreed: int
    agreement: float
    interval: List[float]
    predicted_noise: Optional[float]
    sure_flips: int
    flips: List[Flip]


@dataclass(frozen=True)
class Metric:
    """What the model file's own ``get_metric()`` gives for both models."""

    floating: float
    quantized: float
    drop: float


@dataclass(frozen=True)
class CalibrationFindings:
    """Where the ranges are from that the file is judged by.

    ``source`` is ``calibration`` where Ferry measured the calibration inputs itself, ``record`` where it took the
    file's record, and ``verification`` where there is neither and the inputs of the check were measured. ``halves`` is
    the median difference between the ranges of two halves of the inputs, over the range.
    """

    source: str
    text: str
    samples: Optional[int]
    halves: Optional[float]


@dataclass(frozen=True)
class FileFigures:
    """The float or the quantized file, end to end against PyTorch."""

    path: str
    bytes: int
    sha256: str
    operators: Dict[str, int]
    mean_abs_error: Optional[float]
    sqnr_db: Optional[float]
    centred_sqnr_db: Optional[float]
    top1_agreement: Optional[float]
