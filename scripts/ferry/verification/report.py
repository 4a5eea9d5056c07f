"""The outcome of a verification: as a dictionary for ``report.json`` and as a table for a terminal."""

import hashlib
import json
from typing import Any, Dict, List, Optional

from rich.table import Table

from ferry.verification import criterion, inputs
from ferry.verification.errors_against import Reference
from ferry.verification.measure import Stage

SCHEMA_VERSION = 1


def as_dictionary(
    model: str,
    samples: int,
    seconds: float,
    reference: Reference,
    noise: Optional[List[float]],
    stages: Dict[str, Stage],
    artifacts: Dict[str, str],
    versions: Dict[str, str],
) -> Dict[str, Any]:
    """The report as plain values; ``noise`` is PyTorch's own rounding, ``artifacts`` maps a stage to its file."""
    return {
        "schema_version": SCHEMA_VERSION,
        "model": model,
        "passed": all(stage.fault is None for stage in stages.values()),
        "samples": samples,
        "seed": inputs.SEED,
        "seconds": round(seconds, 3),
        "fault": None,
        "reference": {"runtime": "pytorch", "outputs": _outputs(reference, noise)},
        "stages": {name: _stage(stage) for name, stage in stages.items()},
        "artifacts": {name: {"path": path, "sha256": _sha256(path)} for name, path in artifacts.items()},
        "versions": versions,
    }


def _outputs(reference: Reference, noise: Optional[List[float]]) -> Dict[str, Any]:
    allowed = criterion.tolerances(noise, len(reference.specs))
    return {
        spec.name: {
            "shape": list(spec.shape),
            "dtype": str(spec.dtype),
            "mean_magnitude": magnitude,
            "relative_float32_noise": noise[position] if noise else None,
            "allowed_relative_error": allowed[position].mean,
            "allowed_relative_max_error": allowed[position].maximum,
        }
        for position, (spec, magnitude) in enumerate(zip(reference.specs, reference.magnitudes()))
    }


def of_nothing(model: str, samples: int, fault: str) -> Dict[str, Any]:
    """The report of a verification that could not be made, with the reason."""
    return {
        "schema_version": SCHEMA_VERSION,
        "model": model,
        "passed": False,
        "samples": samples,
        "seed": inputs.SEED,
        "fault": fault,
        "stages": {},
    }


def as_bytes(report: Dict[str, Any]) -> bytes:
    """The report as JSON."""
    return (json.dumps(report, indent=2) + "\n").encode()


def as_table(report: Dict[str, Any]) -> Table:
    """The report's stages, one a row."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("stage")
    for heading in ("mean abs error", "max abs error", "relative error", "top-1 agrees"):
        table.add_column(heading, justify="right")
    table.add_column("verdict")
    for name, stage in report["stages"].items():
        agreement = stage["top1_agreement"]
        table.add_row(
            name,
            _scientific(stage["mean_abs_error"]),
            _scientific(stage["max_abs_error"]),
            _scientific(stage["relative_error"]),
            "-" if agreement is None else f"{agreement:.1%}",
            "[green]passed[/]" if stage["passed"] else "[red]failed[/]",
        )
    return table


def _stage(stage: Stage) -> Dict[str, Any]:
    errors = stage.errors
    return {
        # Of several outputs the worst one stands for the stage.
        "mean_abs_error": _finite(max(errors.means())) if errors else None,
        "max_abs_error": _finite(max(errors.maxima)) if errors else None,
        "relative_error": _finite(max(errors.relative())) if errors else None,
        "relative_max_error": _finite(max(errors.relative_maxima())) if errors else None,
        "top1_agreement": errors.top1_agreement() if errors else None,
        "passed": stage.fault is None,
        "fault": stage.fault,
    }


def _finite(value: float) -> Optional[float]:
    # JSON has no NaN and no infinity; the stage's fault says which it was.
    return value if value - value == 0 else None


def _scientific(value: Optional[float]) -> str:
    return "-" if value is None else f"{value:.1e}"


def _sha256(path: str) -> Optional[str]:
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except OSError:
        return None
