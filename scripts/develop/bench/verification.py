"""Time `make verify` against what it cannot do without: the inferences themselves."""

import json
import os
import shutil
import sys
from typing import Any, Callable, Dict, List, NamedTuple

from develop.bench import process
from ferry.errors import BenchError

SCRIPTS = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ARTIFACTS = ("model.onnx", "model.pb", "model.tflite")
# The first run computes PyTorch's outputs, the second finds them kept.
RUNS = ("first", "again")


class Check(NamedTuple):
    """One verification, in seconds and bytes: the whole process, the inferences that each runtime made for it, and the
    most memory that one of its processes held."""

    seconds: float
    inference_seconds: Dict[str, float]
    peak_bytes: int

    def as_dictionary(self) -> Dict[str, Any]:
        """The check as plain values, with its seconds over those of all inferences."""
        ratio = self.seconds / sum(self.inference_seconds.values())
        return {**self._asdict(), "ratio_to_inference": float(f"{ratio:.6g}")}


def measure(model: str, artifacts: str, folder: str, samples: int, advance: Callable[[], None]) -> List[Check]:
    """Verify the model file ``model`` and the files in ``artifacts`` twice, from copies in ``folder``, made anew.

    Raises:
        BenchError: a verification did not pass, or the second one did not find the first one's references.
    """
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for name in ARTIFACTS:
        shutil.copyfile(os.path.join(artifacts, name), os.path.join(folder, name))
    arguments = ["--model", model, "--build", folder, "--samples", str(samples)]
    command = [sys.executable, "-s", os.path.join(SCRIPTS, "verify.py"), *arguments]
    checks = []
    for position, name in enumerate(RUNS):
        finished = process.run(command, os.path.join(folder, "logs", f"bench_{name}.log"))
        with open(os.path.join(folder, "report.json"), encoding="utf-8") as file:
            report = json.load(file)
        if report["reference"]["reused"] != bool(position):
            raise BenchError(f"the {name} verification {'did not find' if position else 'found'} kept references")
        checks.append(Check(finished.seconds, inference_seconds(report), finished.peak_bytes))
        advance()
    return checks


def inference_seconds(report: Dict[str, Any]) -> Dict[str, float]:
    """What each runtime spent on inferences for a ``report.json``; PyTorch nothing, where its outputs were kept."""
    seconds = {}
    if not report["reference"]["reused"]:
        for dtype, latency in report["reference"]["latency"].items():
            seconds[f"pytorch {dtype}"] = latency["seconds"]
    for name, entry in report["stages"].items():
        seconds[name] = entry["latency"]["seconds"]
    return {name: float(f"{each:.6g}") for name, each in seconds.items()}
