"""The second half of a verification: every piece of each stage alone, and what that does to the verdict."""

import os
from dataclasses import replace
from typing import Dict, Iterator, List, Optional, Sequence, Tuple

import numpy as np

from ferry.errors import FerryError
from ferry.model.model_source import ModelSource
from ferry.verify import criterion
from ferry.verify.measure import Outcome
from ferry.verify.pieces import memory_needed, stage_pieces
from ferry.verify.pieces.stage_pieces import StagePieces, Undecided, WrongPiece
from ferry.verify.verdict import Cause, OutputVerdict, StageVerdict, Verdict
from ferry.worker import Worker

# Stages whose pieces are the same, so that one process holds them against one evaluation.
TOGETHER = (("onnx",), ("tensorflow", "tflite"))
# A stage whose every piece is right may round more than PyTorch was seen to do: up to so many times what is allowed.
CAP = 10.0
# The stage whose graph gives the pieces of the others their values.
HELD_AGAINST = "onnx"
STEPS = {"onnx": "export", "tensorflow": "lowering", "tflite": "conversion"}


def prove(
    source: ModelSource, build: str, layout: str, outcome: Outcome, failing: Sequence[str] = ()
) -> Dict[str, StagePieces]:
    """What comes of the pieces of each stage that could be run, in a process a group of stages.

    Of the stages that are ``failing`` end to end, choices that hang on rounding are looked for as well.

    Each is given the input on which its stage is worst. The processes run side by side where the memory suffices for
    both, else one after the other; where it does not suffice for one, the reason stands in the place of the pieces.
    """
    groups = [[stage for stage in group if stage in outcome.worst_inputs] for group in TOGETHER]
    groups = [stages for stages in groups if stages]
    needed, free = memory_needed.needed(os.path.join(build, "model.onnx")), memory_needed.available()
    if free is not None and needed > free:
        reason = f"that would take about {needed / 1e9:.0f} GB of memory, and {max(free, 0) / 1e9:.0f} GB are free"
        return {stage: stage_pieces.none(reason) for stages in groups for stage in stages}
    side_by_side = free is None or needed * len(groups) <= free
    found: Dict[str, StagePieces] = {}
    for batch in [groups] if side_by_side else [[stages] for stages in groups]:
        found.update(_proved(batch, source, build, layout, outcome, failing))
    return found


def _proved(
    groups: List[List[str]],
    source: ModelSource,
    build: str,
    layout: str,
    outcome: Outcome,
    failing: Sequence[str],
) -> Dict[str, StagePieces]:
    found: Dict[str, StagePieces] = {}
    asked: List[Tuple[Worker, List[str], List[np.ndarray]]] = []
    for stages in groups:
        worker = Worker(f"pieces of {' and '.join(stages)}", open_pieces, source, build, layout)
        asked.append((worker, stages, outcome.worst_inputs[stages[-1]]))
    try:
        for worker, stages, arrays in asked:
            worst = {stage: outcome.worst_inputs[stage] for stage in stages if stage in failing}
            found.update(_started(worker, stages, arrays, worst))
        for worker, stages, _ in asked:
            if worker.busy:
                found.update(_answered(worker, stages))
    finally:
        for worker, _, _ in asked:
            worker.close()
    return found


def open_pieces(source: ModelSource, build: str, layout: str) -> object:
    """What a worker calls: the program that asks needs no runtime of its own."""
    from ferry.verify.pieces.piece_worker import PieceWorker

    return PieceWorker(source, build, layout)


def judged(verdict: Verdict, found: Dict[str, StagePieces]) -> Verdict:
    """``verdict``, which is that of the values end to end, with the pieces of its stages."""
    tolerance = verdict.settings.tolerance
    stages = {
        name: _stage(name, stage, found[name], tolerance) if name in found else stage
        for name, stage in verdict.stages.items()
    }
    if HELD_AGAINST in stages and not stages[HELD_AGAINST].passed:
        # What differs from a graph that is wrong itself need not be wrong.
        for name, stage in verdict.stages.items():
            if name != HELD_AGAINST and name in found:
                stages[name] = replace(
                    stage, pieces=stage_pieces.none("model.onnx, which they are held against, fails")
                )
    return replace(verdict, stages=stages, passed=all(stage.passed for stage in stages.values()))


def _started(
    worker: Worker, stages: List[str], arrays: List[np.ndarray], failing: Dict[str, List[np.ndarray]]
) -> Dict[str, StagePieces]:
    try:
        worker.answer()
    except FerryError as error:
        return {stage: stage_pieces.none(str(error)) for stage in stages}
    worker.ask("prove", stages, arrays, failing)
    return {}


def _answered(worker: Worker, stages: List[str]) -> Dict[str, StagePieces]:
    try:
        answer: Dict[str, StagePieces] = worker.answer()
        return answer
    except FerryError as error:
        return {stage: stage_pieces.none(str(error)) for stage in stages}


def _stage(name: str, stage: StageVerdict, pieces: StagePieces, tolerance: Optional[float]) -> StageVerdict:
    stage = replace(stage, pieces=pieces)
    if pieces.wrong:
        if not stage.passed:
            return stage
        first = pieces.wrong[0]
        return replace(stage, passed=False, fault=stage_pieces.fault(first), where=_cause(name, first, pieces))
    if stage.passed or not stage.run or tolerance is not None or not pieces.right:
        return stage
    excess = max(_excesses(stage, pieces.undecided))
    if not excess <= CAP:
        return stage
    outputs = {key: replace(output, passed=True, fault=None) for key, output in stage.outputs.items()}
    remark = _remark(stage, pieces, excess) if pieces.undecided is None else _choices(pieces.undecided, pieces)
    return replace(stage, passed=True, fault=None, worst_input=None, outputs=outputs, remark=remark)


def _excesses(stage: StageVerdict, undecided: Optional[Undecided]) -> Iterator[float]:
    """How many times over its limit each figure of each output is; infinite where no rounding can be the reason.

    An output that hangs on choices counts by what it is off by where float64 chooses in the same way.
    """
    yield 0.0
    for name, output in stage.outputs.items():
        if output.passed:
            continue
        if undecided is not None and name in undecided.outputs and output.finite:
            yield _over_chosen(output, undecided.outputs[name])
            continue
        distance = output.against_reference
        if output.allowed is None or distance is None or not output.finite:
            yield float("inf")
            continue
        if (distance.relative.mean or 0.0) > criterion.LARGEST_TOLERANCE:
            yield float("inf")
        yield from _over(output)


def _over_chosen(output: OutputVerdict, share: Optional[float]) -> float:
    if not share:
        return float("inf") if share is None else 0.0
    limit = output.allowed.relative.mean if output.allowed is not None else None
    return share / limit if limit and share <= criterion.LARGEST_TOLERANCE else float("inf")


def _over(output: OutputVerdict) -> Iterator[float]:
    assert output.against_reference is not None and output.allowed is not None
    found, limits = output.against_reference.absolute, output.allowed.absolute
    for error, limit in ((found.mean, limits.mean), (found.p999, limits.p999), (found.max, limits.max)):
        if error:
            yield error / limit if limit else float("inf")
    for part in output.parts:
        group = part.worst_group
        if group is not None and group.mean_abs_error:
            yield group.mean_abs_error / group.allowed if group.allowed else float("inf")


def _choices(undecided: Undecided, pieces: StagePieces) -> str:
    first, *others = undecided.choices
    more = f" and {len(others)} more" if others else ""
    outputs = ", ".join(
        f"{name} is off by {share or 0:.1e} of its scale" for name, share in sorted(undecided.outputs.items())
    )
    return (
        f"{first.node or first.tensor} ({first.operator}){more} chooses between values that are nearer to each other "
        f"than what float32 rounds by: on the worst input {first.differing} of {first.count} elements come out "
        f"otherwise; where float64 chooses in the same way, {outputs}; each of its {pieces.count} pieces is right"
    )


def _remark(stage: StageVerdict, pieces: StagePieces, excess: float) -> str:
    multiple = (
        "" if stage.noise_multiple is None else f", {stage.noise_multiple:.1f} times PyTorch's rounding in the mean"
    )
    most = pieces.roundest
    where = (
        "" if most is None else f"; most of it arises at {most.operator} ({most.tensor}), {most.share:.1e} of its scale"
    )
    return (
        f"it rounds more than PyTorch does, {excess:.1f} times what is otherwise allowed{multiple}: each of its "
        f"{pieces.count} pieces is right{where}"
    )


def _cause(stage: str, first: WrongPiece, pieces: StagePieces) -> Cause:
    lines = pieces.lines(stage)
    return Cause(STEPS[stage], first.tensor, first.node, first.operator, first.scope, first.line, first.share, lines)
