"""The newest TFLite runtime, in a Python of its own, for operators that TensorFlow 2.4's interpreter has not."""

import io
import json
import os
import struct
import subprocess
from typing import Any, Dict, List

import numpy as np

from ferry.errors import InputFileError, VerificationError
from ferry.runtimes import Runtime, TensorSpec
from ferry.tflite import flatbuffer

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "litert_program.py")


class LitertRuntime(Runtime):
    """The TFLite model in ``path``, run by the interpreter ``python``, which has ``ai-edge-litert``."""

    def __init__(self, path: str, python: str):
        self._operators = flatbuffer.operators(flatbuffer.load(path))
        self._process = subprocess.Popen(
            [python, "-s", PROGRAM, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        told = json.loads(line) if line else {"fault": "its process ended"}
        if "fault" in told:
            raise InputFileError(f"the newest TFLite runtime cannot prepare {path}: {told['fault']}")
        self.inputs = [_spec(each) for each in told["inputs"]]
        self.outputs = [_spec(each) for each in told["outputs"]]

    def run(self, arrays: List[np.ndarray]) -> List[np.ndarray]:
        held = io.BytesIO()
        np.savez(held, **{str(position): array for position, array in enumerate(arrays)})
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(struct.pack("<Q", held.getbuffer().nbytes) + held.getvalue())
            self._process.stdin.flush()
        except OSError as error:
            raise VerificationError("the process of the newest TFLite runtime has ended") from error
        head = self._process.stdout.read(8)
        if len(head) < 8:
            raise VerificationError("the process of the newest TFLite runtime has ended")
        data = self._process.stdout.read(struct.unpack("<Q", head)[0])
        with np.load(io.BytesIO(data), allow_pickle=False) as made:
            return [made[str(position)] for position in range(len(self.outputs))]

    def details(self) -> Dict[str, Any]:
        return {"operators": dict(sorted(self._operators.items()))}


def _spec(told: Dict[str, Any]) -> TensorSpec:
    return TensorSpec(told["name"], tuple(told["shape"]), np.dtype(told["dtype"]))
