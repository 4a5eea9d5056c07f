"""Two of a kind at once on one model, again and again: nothing half-written, no error and no wrong verdict.

``ROUNDS`` in the environment says how often, where the few of a test run are not enough.
"""

import hashlib
import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path
from typing import Dict, List

import numpy as np

from programs import outside_make

ARTIFACTS = ("model.onnx", "model.pb", "model.tflite")
MODEL, FILE = "mlp", "models/examples/mlp.py"
SHAPE = (4, 1, 50, 3)


def rounds(few: int) -> int:
    """How many rounds to run: ``few``, or what the environment asks for."""
    return int(os.environ.get("ROUNDS") or few)


def two_makes(checkout: Path, runner: str, times: int) -> None:
    """Have two makes convert one model at once, ``times`` times; every time each must succeed, with the same bytes."""
    expected: Dict[str, str] = {}
    for number in range(times):
        outputs = _at_once(checkout, [["-B", "tflite"]] * 2, runner)
        assert all("error" not in output for output in outputs), f"round {number}:\n" + "\n".join(outputs)
        made = digests(checkout)
        assert set(made) == set(ARTIFACTS), f"round {number}: {sorted(made)}"
        expected = expected or made
        assert made == expected, f"round {number}"
        assert list((checkout / "build" / ".work").iterdir()) == [], f"round {number}"


def two_verifications(checkout: Path, runner: str, times: int) -> None:
    """Have two verifications of one model, with different inputs, run at once, ``times`` times; both must pass."""
    files = []
    for name, value in (("ones", 1.0), ("ramp", np.linspace(-1, 1, 150).reshape(SHAPE[1:]))):
        files.append(f"{name}.npz")
        noise = np.random.RandomState(len(files)).randn(*SHAPE)
        np.savez(str(checkout / files[-1]), input=(noise + value).astype(np.float32))
    for number in range(times):
        outputs = _at_once(checkout, [["verify", f"INPUTS={file}"] for file in files], runner)
        assert all("passed" in output for output in outputs), f"round {number}:\n" + "\n".join(outputs)
        report = json.loads((checkout / "build" / MODEL / "report.json").read_text())
        assert report["passed"]
        assert report["settings"]["inputs"] in files
        assert list((checkout / "build" / ".work").iterdir()) == [], f"round {number}"


def kills(checkout: Path, runner: str, times: int, stops: List[signal.Signals], longest: float) -> None:
    """End a make at a random moment of its first ``longest`` seconds, ``times`` times: what is there is whole."""
    _at_once(checkout, [["-B", "tflite"]], runner)
    expected = digests(checkout)
    chance = random.Random(times)
    for number in range(times):
        with _make(checkout, ["-B", "tflite"], runner) as process:
            time.sleep(chance.uniform(0, longest))
            os.killpg(process.pid, stops[number % len(stops)])
            process.communicate(timeout=120)
        made = digests(checkout)
        assert made == expected, f"round {number}"
        assert not list((checkout / "build" / MODEL).rglob("*.partial")), f"round {number}"
    # What was left of the killed ones is swept away by the next, which succeeds.
    _at_once(checkout, [["-B", "tflite"]], runner)
    assert list((checkout / "build" / ".work").iterdir()) == []
    assert digests(checkout) == expected


def digests(checkout: Path) -> Dict[str, str]:
    """The SHA-256 of each artifact of the model that is there."""
    folder = checkout / "build" / MODEL
    return {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in ARTIFACTS if (folder / name).exists()
    }


def _make(checkout: Path, words: List[str], runner: str) -> subprocess.Popen:
    return subprocess.Popen(
        ["make", *words, f"MODEL={FILE}", f"RUNNER={runner}"],
        cwd=str(checkout),
        env=outside_make(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def _at_once(checkout: Path, commands: List[List[str]], runner: str) -> List[str]:
    """What each of the commands, run at once, printed; each must succeed."""
    running = [_make(checkout, words, runner) for words in commands]
    outputs = [process.communicate(timeout=600)[0] for process in running]
    assert [process.returncode for process in running] == [0] * len(running), "\n".join(outputs)
    return outputs
