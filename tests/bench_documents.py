"""A benchmark's document, made by the same functions as a real one, from samples that a test can reckon with."""

from typing import Any, Dict

from develop.bench import document
from develop.bench.conversion import FRAMEWORKS, StageRun
from develop.bench.latency_in_turns import Latency
from develop.bench.verification import RUNS, Check

CHECKS = [
    Check(30.0, {"pytorch float32": 10.0, "onnx": 5.0, "tensorflow": 5.0, "tflite": 5.0}, 500_000_000),
    Check(18.0, {"onnx": 5.0, "tensorflow": 5.0, "tflite": 5.0}, 400_000_000),
]
FILE = {"bytes": 14_000_000, "operators": {"CONV_2D": 70}, "operator_count": 70, "multiply_adds": 301_000_000}


def latency(**seconds: list) -> Latency:
    """A runtime's samples, half of it processor time; whatever is not given did not run."""
    halves = {path: [each / 2 for each in samples] for path, samples in seconds.items()}
    return Latency("tensorflow 2.4.4", 1, dict.fromkeys(seconds, False), {}, seconds, halves)


def conversion(*seconds: float) -> Dict[str, list]:
    """Runs of each stage that took ``seconds``, of which 1 was the bare import and half a second the work."""
    return {stage: [StageRun(each, 0.5, 1.0, 4_000_000) for each in seconds] for stage in FRAMEWORKS}


def of(made: Latency, **conversions: Any) -> Dict[str, Any]:
    """A document of one model, ``net``."""
    model = {
        "files": dict.fromkeys(made.seconds, FILE),
        "latency": [document.latency(made)],
        "verification": {run: check.as_dictionary() for run, check in zip(RUNS, CHECKS)},
        "conversion": conversions or {"ferry": document.conversion(conversion(1.5)), "article": {"fault": "it cannot"}},
    }
    return {"samples": 1000, "models": {"net": model}, "runtimes_left_out": {}}
