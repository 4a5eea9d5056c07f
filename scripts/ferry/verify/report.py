"""The outcome of a verification as a dictionary for ``report.json``. docs/report.schema.json says what it holds."""

import hashlib
import json
import os
from typing import Any, Dict, List, Optional

from ferry.verify import criterion
from ferry.verify.measure import Outcome, ReferenceOutcome, StageOutcome
from ferry.verify.output_errors import Distance, OutputErrors
from ferry.verify.output_summary import OutputSummary

SCHEMA_VERSION = 2
# The bins of the error histograms, in log10 of the absolute error.
HISTOGRAM_STEP = 0.25
WORST_PARTS = 16


def artifact(path: str) -> Dict[str, Any]:
    """A stage's file as it lies there now: its path, size in bytes and SHA-256, ``None`` where it cannot be read."""
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            for block in iter(lambda: file.read(1 << 20), b""):
                digest.update(block)
        return {"path": path, "bytes": os.path.getsize(path), "sha256": digest.hexdigest()}
    except OSError:
        return {"path": path, "bytes": None, "sha256": None}


def replaced_since(path: str, report: Dict[str, Any]) -> List[str]:
    """The stages whose file is another than in the report at ``path``, where the reference is still the same.

    With the same model, weights and inputs a stage's file is another one because Ferry is, or because somebody put it
    there. Empty where ``path`` holds no such report.
    """
    try:
        with open(path) as file:
            last = json.load(file)
        if last["reference"]["key"] != report["reference"]["key"]:
            return []
        before = {name: stage["artifact"]["sha256"] for name, stage in last["stages"].items()}
    except (OSError, ValueError, KeyError, TypeError):
        return []
    now = {name: stage["artifact"]["sha256"] for name, stage in report["stages"].items()}
    return [name for name, digest in now.items() if before.get(name, digest) != digest]


def as_dictionary(
    model: str,
    settings: Dict[str, Any],
    seconds: float,
    outcome: Outcome,
    artifacts: Dict[str, Dict[str, Any]],
    provenance: Dict[str, Any],
) -> Dict[str, Any]:
    """The report as plain values. ``artifacts`` maps a stage to what ``artifact`` made of its file."""
    reference, tolerance = outcome.reference, settings["tolerance"]
    stages = {
        name: _stage(reference, stage, artifacts[name], tolerance, settings["processors"])
        for name, stage in outcome.stages.items()
    }
    return {
        "schema_version": SCHEMA_VERSION,
        "model": model,
        "passed": all(stage["passed"] for stage in stages.values()),
        "fault": None,
        "samples": outcome.source.count,
        "seconds": round(seconds, 3),
        "settings": settings,
        "inputs": {
            **outcome.source.description,
            "tensors": [_tensor(spec) for spec in outcome.inputs],
        },
        "criterion": _criterion(reference, outcome.source.count),
        "reference": {
            "runtime": "pytorch",
            "dtype": reference.dtype,
            "reason": reference.reason,
            "key": reference.key,
            "kept": reference.kept,
            "reused": reference.reused,
            "latency": reference.latencies,
            "outputs": {summary.spec.name: _summary(summary) for summary in reference.summaries},
        },
        "noise_floor": None
        if reference.noise is None
        else {
            noise.spec.name: _measures(summary, noise, None)
            for summary, noise in zip(reference.summaries, reference.noise)
        },
        "stages": stages,
        "provenance": provenance,
    }


def of_nothing(model: str, settings: Dict[str, Any], fault: str, provenance: Dict[str, Any]) -> Dict[str, Any]:
    """The report of a verification that could not be made, with the reason."""
    return {
        "schema_version": SCHEMA_VERSION,
        "model": model,
        "passed": False,
        "fault": fault,
        "samples": 0,
        "seconds": None,
        "settings": settings,
        "inputs": None,
        "criterion": None,
        "reference": None,
        "noise_floor": None,
        "stages": {},
        "provenance": provenance,
    }


def as_bytes(report: Dict[str, Any]) -> bytes:
    """The report as JSON."""
    return (json.dumps(report, indent=2, allow_nan=False) + "\n").encode()


def _criterion(reference: ReferenceOutcome, samples: int) -> Dict[str, Any]:
    return {
        "article_threshold": criterion.ARTICLE_THRESHOLD,
        "multiple": criterion.multiple_of(samples, criterion.CERTAIN_VALUES),
        "threshold_without_float64": criterion.THRESHOLD_WITHOUT_FLOAT64,
        "p999_over_mean": criterion.P999_OVER_MEAN,
        "maximum_over_mean": criterion.MAXIMUM_OVER_MEAN,
        "largest_tolerance": criterion.LARGEST_TOLERANCE,
    }


def _tensor(spec: Any) -> Dict[str, Any]:
    return {"name": spec.name, "shape": list(spec.shape), "dtype": str(spec.dtype)}


def _summary(summary: OutputSummary) -> Dict[str, Any]:
    return {
        "shape": list(summary.spec.shape),
        "dtype": str(summary.spec.dtype),
        "mean_magnitude": _finite(summary.magnitude),
        "minimum": _finite(summary.lowest),
        "maximum": _finite(summary.highest),
        "spread": _finite(summary.spread),
    }


def _stage(
    reference: ReferenceOutcome,
    stage: StageOutcome,
    file: Dict[str, Any],
    tolerance: Optional[float],
    processors: int,
) -> Dict[str, Any]:
    fault, outputs = stage.fault, {}
    errors = stage.errors
    if errors is not None:
        fault = criterion.value_fault(reference.summaries, reference.noise, errors, tolerance)
        for position, (summary, found) in enumerate(zip(reference.summaries, errors)):
            noise = reference.noise[position] if reference.noise is not None else None
            outputs[found.spec.name] = {
                **_measures(summary, found, noise),
                **_judged(summary, found, noise, tolerance),
                "parts": _parts(summary, found, noise, tolerance),
            }
    return {
        "passed": fault is None,
        "fault": fault,
        "artifact": file,
        "latency": {"milliseconds": stage.latency.milliseconds(), "seconds": stage.latency.seconds},
        "operators": stage.details.get("operators"),
        "worst_sample": _worst_sample(reference.summaries, errors),
        "worst_input": None,
        # Of several outputs the worst one stands for the stage.
        "mean_abs_error": _worst([found.float32.mean for found in errors or []], errors),
        "max_abs_error": _worst([found.float32.largest for found in errors or []], errors),
        "noise_multiple": _multiple(reference, errors),
        "top1_agreement": _lowest([entry["top1_agreement"] for entry in outputs.values()]),
        "outputs": outputs,
    }


def _measures(summary: OutputSummary, errors: OutputErrors, noise: Optional[OutputErrors]) -> Dict[str, Any]:
    """All the figures of one output; none of them where something was not finite."""
    start, counts = errors.reference.histogram.decades(HISTOGRAM_STEP)
    agrees = errors.scored or 1
    classes = errors.spec.shape[-1] if errors.scored else 0
    return {
        "finite": errors.finite,
        "against_reference": _distance(errors.reference, summary, noise.reference if noise else None, errors.finite),
        "against_float32": _distance(errors.float32, summary, None, errors.finite),
        "unequal_values": errors.unequal,
        "cosine": {"mean": errors.cosines / errors.directions, "lowest": errors.lowest_cosine}
        if errors.directions and errors.finite
        else None,
        "psnr_db": _finite(errors.psnr(summary.range())),
        "top1_agreement": errors.top1 / agrees if errors.scored else None,
        "top5_agreement": errors.top5 / agrees if classes > 5 else None,
        "histogram": {
            "log10_from": start,
            "log10_step": HISTOGRAM_STEP,
            "counts": counts,
            "below": errors.reference.histogram.small,
        },
        "by_magnitude": errors.magnitudes(),
    }


def _distance(
    distance: Distance, summary: OutputSummary, noise: Optional[Distance], finite: bool
) -> Optional[Dict[str, Any]]:
    if not finite or not distance.count:
        return None
    figures = {"mean": distance.mean, "p999": distance.p999, "max": distance.largest}
    floors = {"mean": noise.mean, "p999": noise.p999, "max": noise.largest} if noise else {}
    scale = summary.magnitude
    return {
        "absolute": figures,
        "relative": {name: _ratio(value, scale) for name, value in figures.items()},
        "noise_multiple": {name: _ratio(figures[name], floor) for name, floor in floors.items()} or None,
        "worst_sample": distance.worst_sample,
    }


def _judged(
    summary: OutputSummary, errors: OutputErrors, noise: Optional[OutputErrors], tolerance: Optional[float]
) -> Dict[str, Any]:
    if summary.spec.dtype.kind != "f":
        return {"allowed": None}
    limits = criterion.allowed(summary, noise, tolerance)
    figures = {"mean": limits.mean, "p999": limits.p999, "max": limits.maximum}
    return {
        "allowed": {
            "absolute": figures,
            "relative": {name: _ratio(value, summary.magnitude) for name, value in figures.items()},
        }
    }


def _parts(
    summary: OutputSummary, errors: OutputErrors, noise: Optional[OutputErrors], tolerance: Optional[float]
) -> List[Dict[str, Any]]:
    """For each axis its length and the places along it where the error is worst beside what is allowed there."""
    if not errors.finite or not errors.reference.count or summary.spec.dtype.kind != "f":
        return []
    judged = criterion.parts(summary, noise, errors, tolerance)
    found = []
    for axis in summary.parts:
        means, magnitudes = errors.part_means(axis), summary.part_magnitudes(axis)
        floors = noise.part_means(axis) if noise is not None else None
        groups = sorted((part for part in judged if part.axis == axis), key=lambda part: -part.error / part.allowed)
        order = sorted(range(len(means)), key=lambda place: -means[place])[:WORST_PARTS]
        found.append(
            {
                "axis": axis,
                "length": len(means),
                "groups": len(groups),
                "worst_group": None
                if not groups
                else {
                    "indices": sorted(int(index) for index in groups[0].indices)[:WORST_PARTS],
                    "mean_abs_error": groups[0].error,
                    "allowed": groups[0].allowed,
                },
                "worst": [
                    {
                        "index": place,
                        "mean_abs_error": float(means[place]),
                        "noise": None if floors is None else float(floors[place]),
                        "mean_magnitude": float(magnitudes[place]),
                    }
                    for place in order
                ],
            }
        )
    return found


def _worst_sample(summaries: List[OutputSummary], errors: Optional[List[OutputErrors]]) -> Optional[Dict[str, Any]]:
    worst = criterion.worst_output(summaries, errors)
    if worst is None:
        return None
    return {
        "index": worst.reference.worst_sample,
        "output": worst.spec.name,
        "max_abs_error": worst.reference.largest,
    }


def _multiple(reference: ReferenceOutcome, errors: Optional[List[OutputErrors]]) -> Optional[float]:
    if errors is None or reference.noise is None or not all(found.finite for found in errors):
        return None
    multiples = [_ratio(found.reference.mean, noise.reference.mean) for found, noise in zip(errors, reference.noise)]
    known = [multiple for multiple in multiples if multiple is not None]
    return max(known) if known else None


def _worst(values: List[float], errors: Optional[List[OutputErrors]]) -> Optional[float]:
    # JSON has no NaN and no infinity; the stage's fault says which it was.
    return max(values) if values and all(found.finite for found in errors or []) else None


def _lowest(values: List[Optional[float]]) -> Optional[float]:
    return min((value for value in values if value is not None), default=None)


def _ratio(value: float, scale: float) -> Optional[float]:
    return value / scale if scale else None


def _finite(value: Optional[float]) -> Optional[float]:
    return value if value is not None and value - value == 0 else None
