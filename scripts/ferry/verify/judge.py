"""From what was measured to the verdict."""

import json
from typing import Any, Dict, List, Optional

from ferry.runtimes import TensorSpec
from ferry.verify import criterion, output_figures, worst_input
from ferry.verify.input_source import InputSource
from ferry.verify.measure import Outcome, ReferenceOutcome, StageOutcome
from ferry.verify.output_errors import OutputErrors
from ferry.verify.verdict import (
    Artifact,
    Criterion,
    Inputs,
    IntegerInput,
    OutputVerdict,
    ReferenceFigures,
    Settings,
    StageVerdict,
    Tensor,
    Verdict,
    WorstSample,
)


def verdict(
    model: str,
    settings: Settings,
    seconds: float,
    outcome: Outcome,
    artifacts: Dict[str, Artifact],
    provenance: Dict[str, Any],
    notes: List[str],
    folder: str,
) -> Verdict:
    """The verdict on all stages of the model named ``model``.

    ``seconds`` is what the check took, ``artifacts`` maps a stage to its file, ``notes`` are what the reader is to know
    besides, ``folder`` is where the worst inputs are kept.
    """
    reference = outcome.reference
    stages = {
        name: _stage(reference, stage, artifacts[name], settings.tolerance, worst_input.path_of(folder, name))
        for name, stage in outcome.stages.items()
    }
    return Verdict(
        model=model,
        passed=all(stage.passed for stage in stages.values()),
        fault=None,
        notes=[*notes, *_notes(outcome, settings)],
        samples=outcome.source.count,
        seconds=round(seconds, 3),
        settings=settings,
        inputs=inputs_given(outcome.source, outcome.inputs),
        criterion=_criterion(outcome.source.count),
        reference=_reference(reference),
        noise_floor=None
        if reference.noise is None
        else {
            noise.spec.name: output_figures.measures(summary, noise, None)
            for summary, noise in zip(reference.summaries, reference.noise)
        },
        stages=stages,
        provenance=provenance,
        coverage=outcome.coverage,
    )


def inputs_given(source: InputSource, specs: List[TensorSpec]) -> Inputs:
    """What the model was given: the samples of ``source``, for the inputs ``specs``."""
    return Inputs(
        **source.description,
        integers=[IntegerInput(*each) for each in source.integers],
        tensors=[Tensor(spec.name, list(spec.shape), str(spec.dtype)) for spec in specs],
    )


def of_nothing(model: str, settings: Settings, fault: str, provenance: Dict[str, Any]) -> Verdict:
    """The verdict where the check could not be made, with the reason."""
    return Verdict(
        model=model,
        passed=False,
        fault=fault,
        notes=[],
        samples=0,
        seconds=None,
        settings=settings,
        inputs=None,
        criterion=None,
        reference=None,
        noise_floor=None,
        stages={},
        provenance=provenance,
    )


def replaced_since(path: str, key: str, artifacts: Dict[str, Artifact]) -> List[str]:
    """The stages whose file is another than in the report at ``path``, where the reference's ``key`` is still the same.

    With the same model, weights and inputs a stage's file is another one because Ferry is, or because somebody put it
    there. Empty where ``path`` holds no such report.
    """
    try:
        with open(path, encoding="utf-8") as file:
            last = json.load(file)
        if last["reference"]["key"] != key:
            return []
        before = {name: stage["artifact"]["sha256"] for name, stage in last["stages"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []
    return [name for name, now in artifacts.items() if before.get(name, now.sha256) != now.sha256]


def _notes(outcome: Outcome, settings: Settings) -> List[str]:
    reference, notes = outcome.reference, []
    if reference.remade:
        notes.append(f"references altered: those of {reference.remade} of {outcome.source.count} inputs were made anew")
    if reference.unkept is not None:
        notes.append(f"PyTorch's outputs are not kept for the next check: {reference.unkept}")
    if reference.traced:
        notes.append(
            f"PyTorch cannot run the module itself in float64 ({reference.reason}): the reference is its trace, "
            "in which casts to float32 are raised"
        )
    if reference.dtype == "float32":
        notes.append(f"PyTorch cannot run it in float64, so float32 is the reference: {reference.reason}")
    if outcome.source.count < settings.samples:
        notes.append(f"the inputs given are {outcome.source.count}, and all were used")
    return notes


def _criterion(samples: int) -> Criterion:
    return Criterion(
        article_threshold=criterion.ARTICLE_THRESHOLD,
        multiple=criterion.multiple_of(samples, criterion.CERTAIN_VALUES),
        threshold_without_float64=criterion.THRESHOLD_WITHOUT_FLOAT64,
        p999_over_mean=criterion.P999_OVER_MEAN,
        maximum_over_mean=criterion.MAXIMUM_OVER_MEAN,
        largest_tolerance=criterion.LARGEST_TOLERANCE,
    )


def _reference(reference: ReferenceOutcome) -> ReferenceFigures:
    return ReferenceFigures(
        runtime="pytorch",
        dtype=reference.dtype,
        reason=reference.reason,
        key=reference.key,
        kept=reference.kept,
        reused=reference.reused,
        remade=reference.remade,
        float64_samples=reference.float64_samples,
        latency=reference.latencies,
        outputs={summary.spec.name: output_figures.of_reference(summary) for summary in reference.summaries},
    )


def _stage(
    reference: ReferenceOutcome, stage: StageOutcome, file: Artifact, tolerance: Optional[float], kept: str
) -> StageVerdict:
    errors = stage.errors or []
    outputs: Dict[str, OutputVerdict] = {}
    for position, found in enumerate(errors):
        noise = reference.noise[position] if reference.noise is not None else None
        summary = reference.summaries[position]
        judgement = criterion.judge(summary, noise, found, tolerance)
        outputs[found.spec.name] = output_figures.verdict(summary, found, noise, judgement)
    fault, finite = stage.fault or _fault(outputs), all(found.finite for found in errors)
    worst = criterion.worst_output(reference.summaries, stage.errors)
    every = list(outputs.values())
    return StageVerdict(
        passed=fault is None,
        run=stage.errors is not None,
        fault=fault,
        artifact=file,
        latency=stage.latency.figures(),
        operators=stage.details.get("operators"),
        worst_sample=None
        if worst is None
        else WorstSample(worst.known.worst_sample, worst.spec.name, worst.known.largest),
        worst_input=kept if fault is not None and worst is not None else None,
        where=None,
        # Of several outputs the worst one stands for the stage.
        mean_abs_error=_highest([found.float32.mean for found in errors]) if finite else None,
        max_abs_error=_highest([found.float32.largest for found in errors]) if finite else None,
        noise_multiple=_multiple(reference, errors) if finite else None,
        top1_agreement=_lowest([output.top1_agreement for output in every]),
        top5_agreement=_lowest([output.top5_agreement for output in every]),
        lowest_cosine=_lowest([output.cosine.lowest for output in every if output.cosine]),
        psnr_db=_lowest([output.psnr_db for output in every]),
        outputs=outputs,
    )


def _fault(outputs: Dict[str, OutputVerdict]) -> Optional[str]:
    """What is wrong with a stage's first output that is wrong; what is not even a number comes before all else."""
    faulty = sorted((output for output in outputs.values() if output.fault), key=lambda output: output.finite)
    return faulty[0].fault if faulty else None


def _multiple(reference: ReferenceOutcome, errors: List[OutputErrors]) -> Optional[float]:
    pairs = zip(errors, reference.noise or [])
    return _highest([found.reference.mean / noise.reference.mean for found, noise in pairs if noise.reference.mean])


def _highest(values: List[float]) -> Optional[float]:
    return max(values) if values else None


def _lowest(values: List[Optional[float]]) -> Optional[float]:
    return min((value for value in values if value is not None), default=None)
