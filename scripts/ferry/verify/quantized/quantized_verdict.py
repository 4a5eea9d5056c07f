"""The verdict on a quantized file, typed and complete: docs/report.quantized.schema.json describes its fields."""

from dataclasses import dataclass
from typing import Any, Dict, List, Optional

from ferry.verify.quantized.findings import (
    CalibrationFindings,
    Decisions,
    FileFigures,
    Metric,
    OperatorCost,
    OperatorFidelity,
    OutputCost,
)
from ferry.verify.verdict import EXIT_FAILED, Inputs


@dataclass(frozen=True)
class QuantizedSettings:
    """What was asked for."""

    quant: str
    samples: int
    layout: str
    inputs: Optional[str]
    calibration: Optional[str]
    accuracy_drop: Optional[float]


@dataclass(frozen=True)
class QuantizedLimits:
    """The constants that the file was judged with."""

    ratio: float
    channel_ratio: float
    weights_ratio: float
    bias_ratio: float
    cost_ratio: float
    least_centred_sqnr_db: float


@dataclass(frozen=True)
class InFloat:
    """An operator that stays in float, by the file's record, and why."""

    operator: str
    output: str
    reason: str


@dataclass(frozen=True)
class QuantizedVerdict:
    """The whole. ``fault`` says why nothing could be proved; ``faults`` are what is wrong with the file."""

    model: str
    quant: str
    passed: bool
    fault: Optional[str]
    faults: List[str]
    notes: List[str]
    samples: int
    seconds: Optional[float]
    settings: QuantizedSettings
    limits: QuantizedLimits
    inputs: Optional[Inputs]
    calibration: Optional[CalibrationFindings]
    files: Dict[str, FileFigures]
    fidelity: List[OperatorFidelity]
    outputs: List[OutputCost]
    operators: List[OperatorCost]
    decisions: List[Decisions]
    metric: Optional[Metric]
    in_float: List[InFloat]
    provenance: Dict[str, Any]

    @property
    def exit_code(self) -> int:
        """What the program ends with; where nothing could be proved, the error that said so has its own."""
        return 0 if self.passed else EXIT_FAILED
