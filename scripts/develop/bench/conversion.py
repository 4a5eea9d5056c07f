"""Time the stages as a user meets them: each a process from cold, in turns with one that only imports its framework."""

import json
import os
import shutil
import sys
from typing import Callable, Dict, List, NamedTuple

from develop.bench import process

HERE = os.path.dirname(os.path.abspath(__file__))
TIMED_STAGE = os.path.join(HERE, "timed_stage.py")
SCRIPTS = os.path.dirname(os.path.dirname(HERE))
# Each stage, and the framework that it cannot do without.
FRAMEWORKS = {"export_onnx": "torch", "onnx_to_tf": "tensorflow", "tf_to_tflite": "tensorflow"}


class StageRun(NamedTuple):
    """One cold run of a stage, in seconds and bytes.

    ``seconds`` is the whole process, ``work_seconds`` what it took once its imports were done, and ``bare_seconds`` a
    process of the same round that imports the stage's framework and ends.
    """

    seconds: float
    work_seconds: float
    bare_seconds: float
    peak_bytes: int


def steps(rounds: int, warm_ups: int) -> int:
    """How often ``measure`` calls ``advance``."""
    return (rounds + warm_ups) * len(FRAMEWORKS)


def measure(
    model: str, graph: str, folder: str, rounds: int, warm_ups: int, advance: Callable[[], None]
) -> Dict[str, List[StageRun]]:
    """Convert the model file ``model`` in the stages ``rounds`` times after ``warm_ups``; the runs of each stage.

    The artifacts of the last round stay in ``folder``. ``graph`` is ``ferry`` or ``article``.

    Raises:
        BenchError: a stage ended with an error, or did not leave the artifact.
    """
    runs: Dict[str, List[StageRun]] = {name: [] for name in FRAMEWORKS}
    for position in range(warm_ups + rounds):
        for stage in FRAMEWORKS:
            made = _both(stage, _arguments(stage, model, graph, folder), folder, stage_first=position % 2 == 1)
            if position >= warm_ups:
                runs[stage].append(made)
            advance()
    return runs


def convert_to_nhwc(folder: str, into: str) -> str:
    """Convert ``folder``'s ``model.onnx`` with ``LAYOUT=nhwc``, untimed; return the path of the ``.tflite``.

    Raises:
        BenchError: a stage ended with an error.
    """
    os.makedirs(into, exist_ok=True)
    shutil.copyfile(os.path.join(folder, "model.onnx"), os.path.join(into, "model.onnx"))
    for stage in ("onnx_to_tf", "tf_to_tflite"):
        arguments = _arguments(stage, "", "ferry", into) + (["--layout", "nhwc"] if stage == "onnx_to_tf" else [])
        program = os.path.join(SCRIPTS, f"{stage}.py")
        process.run([sys.executable, "-s", program, *arguments], os.path.join(into, "logs", f"bench_{stage}.log"))
    return os.path.join(into, "model.tflite")


def _arguments(stage: str, model: str, graph: str, folder: str) -> List[str]:
    onnx, frozen, tflite = (os.path.join(folder, f"model.{suffix}") for suffix in ("onnx", "pb", "tflite"))
    return {
        "export_onnx": ["--model", model, "--output", onnx],
        "onnx_to_tf": ["--graph", graph, "--input", onnx, "--output", frozen],
        "tf_to_tflite": ["--input", frozen, "--output", tflite],
    }[stage]


def _both(stage: str, arguments: List[str], folder: str, stage_first: bool) -> StageRun:
    result, log = os.path.join(folder, "timed.json"), os.path.join(folder, "logs", f"timed_{stage}.log")
    commands = {
        "bare": [sys.executable, "-s", "-c", f"import os, {FRAMEWORKS[stage]}; os._exit(0)"],
        "stage": [sys.executable, "-s", TIMED_STAGE, result, stage, *arguments],
    }
    order = sorted(commands, reverse=stage_first)
    finished = {name: process.run(commands[name], log) for name in order}
    with open(result, encoding="utf-8") as file:
        work = json.load(file)["work_seconds"]
    os.unlink(result)
    whole = finished["stage"]
    return StageRun(whole.seconds, work, finished["bare"].seconds, whole.peak_bytes)
