"""The version matrix: each model with each PyTorch and TensorFlow in each runner, in one table."""

import contextlib
import itertools
import json
import os
import shutil
import sys
import time
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from runners import captured, choose, engines, image, package_folder, package_layer, run_stage, stages, variables, venv
from runners.errors import RunnerError
from runners.paths import ROOT
from runners.stages import Job, Model, Stage

FAILED = 2
# Not where make builds, and built anew each time: what is compared must not come from an earlier run.
FOLDER = "build/matrix"
WIDTHS = {
    "mean abs error": 14,
    "relative error": 14,
    "operators": 9,
    "Flex": 4,
    "size": 8,
    "SHA-256": 12,
    "convert": 7,
    "verify": 7,
}


class Cell(NamedTuple):
    """One model, run by one PyTorch, converted with one TensorFlow in one runner."""

    model: Model
    torch: str
    tf: str
    runner: str
    values: Tuple[Tuple[str, str], ...] = ()

    @property
    def job(self) -> Job:
        """What its stages are run for."""
        values = {**dict(self.values), "TORCH": self.torch, "TF": self.tf, "RUNNER": self.runner, "DEVICE": "cpu"}
        torch = stages.TORCH_FOLDERS.get(self.torch, stages.OWN_TORCH)
        return Job((self.model,), "/".join([FOLDER, self.runner, *torch, f"tf{self.tf}"]), values)

    @property
    def name(self) -> str:
        """What it is called in messages, but for its runner."""
        return f"{self.model.name}, TORCH={self.torch}, TF={self.tf}"

    @property
    def folder(self) -> str:
        """Where its files go, relative to the checkout."""
        return self.job.reads_from

    @property
    def stages(self) -> List[Stage]:
        """The stages that it goes through, in order."""
        return [*stages.conversion(self.model.source), stages.BY_NAME["verify"]]


class Outcome(NamedTuple):
    """What became of a cell: the seconds of each stage that ran, the report if there is one, and what went wrong."""

    seconds: List[float]
    report: Dict[str, Any]
    trouble: Optional[str]


def run(jobs: Sequence[Job], tfs: Sequence[str], runners: Sequence[str], torches: Sequence[str] = ("1.5",)) -> int:
    """Print the table, a row as each cell ends. The exit code is 2 if a cell failed or two runners' bytes differ.

    Args:
        jobs: the models, each with the variables' values.
        tfs: keys of ``venv.BY_TENSORFLOW``.
        runners: the runners to use; empty for all that answer.
        torches: values that ``TORCH`` takes.

    Raises:
        RunnerError: ``SAMPLES`` is no positive number, or no runner answers.
    """
    variables.check({**jobs[0].values, "TORCH": torches[0]}, stages.BY_NAME["verify"].variables)
    there = _that_answer(list(runners) or list(choose.RUNNERS))
    width = max(len("model"), *(len(job.models[0].name) for job in jobs))
    before = max(len("TORCH"), *map(len, torches))
    _row(
        [
            f"{'model':<{width}}",
            f"{'TORCH':<{before}}",
            "TF ",
            "runner",
            "verdict",
            *(f"{name:>{size}}" for name, size in WIDTHS.items()),
        ]
    )
    outcomes: Dict[Cell, Outcome] = {}
    for torch, tf, runner in itertools.product(torches, tfs, there):
        missing = _prepare(torch, tf, runner, jobs[0].values["REQUIREMENTS"])
        for cell in (Cell(job.models[0], torch, tf, runner, tuple(sorted(job.values.items()))) for job in jobs):
            outcomes[cell] = Outcome([], {}, missing) if missing else _convert(cell)
            named = [f"{cell.model.name:<{width}}", f"{torch:<{before}}", tf, f"{runner:<6}"]
            _row([*named, *_columns(outcomes[cell])])
    return _conclude(outcomes, there)


def _that_answer(runners: List[str]) -> List[str]:
    found = []
    for runner in runners:
        answer = engines.ask(runner) if runner in engines.QUESTIONS else None
        if isinstance(answer, engines.Silence):
            _say(f"{runner} is left out: {answer.trouble or engines.NOT_THERE[runner]}")
        else:
            found.append(runner)
    if not found:
        raise RunnerError("no runner answers, so there is nothing to compare")
    return found


def _prepare(torch: str, tf: str, runner: str, requirements: str) -> Optional[str]:
    """Make the environment or image, so that its making is in no cell's seconds; the reason where it cannot be made."""
    try:
        variables.check({"TORCH": torch, "RUNNER": runner}, ("TORCH", "RUNNER"))
        if runner in engines.QUESTIONS:
            engine, wanted = engines.at_hand(runner), image.BY_TENSORFLOW[tf]
            package_layer.ensure(engine, wanted, requirements) if requirements else image.ensure(engine, wanted)
        elif requirements:
            package_folder.ensure(venv.BY_TENSORFLOW[tf], requirements)
        else:
            venv.ensure(venv.BY_TENSORFLOW[tf])
            if torch == "2":
                venv.ensure(venv.TORCH2)
    except RunnerError as error:
        return str(error)
    return None


def _convert(cell: Cell) -> Outcome:
    shutil.rmtree(str(ROOT / cell.folder), ignore_errors=True)
    seconds: List[float] = []
    trouble = None
    for stage in cell.stages:
        started = time.monotonic()
        code, said = captured.run(stage, cell.job, run_stage.run, cell.runner)
        seconds.append(time.monotonic() - started)
        if code:
            trouble = captured.trouble(stage, code, said)
            break
    report: Dict[str, Any] = {}
    with contextlib.suppress(OSError, ValueError):
        report = json.loads((ROOT / cell.folder / "report.json").read_text())
    return Outcome(seconds, report, trouble)


def _columns(outcome: Outcome) -> List[str]:
    stage = outcome.report.get("stages", {}).get("tflite", {})
    artifact = stage.get("artifact", {})
    operators = stage.get("operators") or {}
    distances = [output.get("against_reference") for output in stage.get("outputs", {}).values()]
    # Of several outputs the worst one stands for the model.
    relative = [distance["relative"]["mean"] for distance in distances if distance]
    flex = sum(count for name, count in operators.items() if name.startswith("Flex"))
    shown = [
        _scientific(stage.get("mean_abs_error")),
        _scientific(max((error for error in relative if error is not None), default=None)),
        str(sum(operators.values()) or "-"),
        str(flex or "no") if operators else "-",
        f"{artifact['bytes'] / 1e6:.1f} MB" if artifact.get("bytes") else "-",
        (artifact.get("sha256") or "-")[:12],
        f"{sum(outcome.seconds[:3]):.1f} s" if outcome.seconds else "-",
        f"{outcome.seconds[3]:.1f} s" if len(outcome.seconds) > 3 else "-",
    ]
    verdict = "FAILED" if outcome.trouble else "passed"
    return [f"{verdict:<7}", *(f"{text:>{width}}" for text, width in zip(shown, WIDTHS.values()))]


def _conclude(outcomes: Dict[Cell, Outcome], runners: List[str]) -> int:
    failed = [(cell, outcome.trouble) for cell, outcome in outcomes.items() if outcome.trouble]
    for cell, trouble in failed:
        _say(f"{cell.name}, {cell.runner}: {trouble}")
    differences = list(_differences(outcomes))
    for difference in differences:
        _say(difference)
    passed = len(outcomes) - len(failed)
    if len(runners) == 1:
        bytes_say = f"one runner, {runners[0]}, so no two runners' bytes were compared"
    elif differences:
        bytes_say = "the runners' bytes DIFFER"
    else:
        bytes_say = f"the same bytes from {', '.join(runners)}" if not failed else "no two runners' bytes differ"
    print(f"matrix: {passed} of {len(outcomes)} passed; {bytes_say}")
    return FAILED if failed or differences else 0


def _differences(outcomes: Dict[Cell, Outcome]) -> Iterator[str]:
    """A sentence for each artifact of a model that came out of two runners differently, all else being equal."""
    first: Dict[Tuple[str, str, str, str], Tuple[str, str]] = {}
    for cell, outcome in outcomes.items():
        for name, stage in outcome.report.get("stages", {}).items():
            artifact = stage.get("artifact", {})
            digest = artifact.get("sha256")
            if not digest:
                continue
            runner, other = first.setdefault((cell.model.name, cell.torch, cell.tf, name), (cell.runner, digest))
            if digest != other:
                where = os.path.basename(artifact["path"])
                yield f"{cell.name}: {where} is not the same from {runner} and {cell.runner}"


def _scientific(value: Optional[float]) -> str:
    return "-" if value is None else f"{value:.1e}"


def _row(columns: List[str]) -> None:
    print("  ".join(columns), flush=True)


def _say(text: str) -> None:
    print(f"matrix: {text}", file=sys.stderr, flush=True)
