"""The worker that runs one stage's artifact in its runtime and compares what comes out with the reference."""

import importlib
import time
from typing import Any, Dict, List

import numpy as np

from ferry.errors import VerificationError, foreign_errors
from ferry.runtimes import LIBRARIES, Runtime, TensorSpec
from ferry.runtimes.channels_last import with_layout
from ferry.verify import chunk_file
from ferry.verify.chunk_file import Stored
from ferry.verify.inference_latency import Latency
from ferry.verify.input_source import InputSource
from ferry.verify.output_errors import OutputErrors

RUNTIMES = {
    "onnx": ("ferry.runtimes.onnx_runtime", "OnnxRuntime"),
    "tensorflow": ("ferry.runtimes.tensorflow_runtime", "TensorflowRuntime"),
    "tflite": ("ferry.runtimes.tflite_runtime", "TfliteRuntime"),
}


class StageWorker:
    """The artifact ``path`` of the stage ``name``, opened with its runtime's ``options`` and a ``layout``."""

    def __init__(self, name: str, path: str, options: Dict[str, Any]):
        module, runtime = RUNTIMES[name]
        self._runtime: Runtime
        if "given" in options:
            from ferry.verify.given_file import given_file

            self._runtime = given_file.open_arranged(path, options["given"])
            return
        # Imported here, so that a worker holds no runtime but its own.
        own = {key: value for key, value in options.items() if key != "layout"}
        opened = getattr(importlib.import_module(module), runtime)(path, **own)
        self._runtime = with_layout(opened, options.get("layout", "nchw"))

    def hello(self) -> Dict[str, Any]:
        """What the artifact takes and gives, and what its runtime tells of it."""
        runtime = self._runtime
        return {"inputs": runtime.inputs, "outputs": runtime.outputs, "details": runtime.details()}

    def begin(self, source: InputSource, outputs: List[TensorSpec]) -> None:
        """Take the inputs and what the reference's outputs are."""
        self._source, self._outputs = source, outputs
        self._errors = [OutputErrors(spec) for spec in outputs]
        self._latency = Latency()
        # The first inference of a runtime makes room for the others, and is no measure of them.
        self._run(0)

    def compute(self, stored: Stored, start: int, stop: int) -> None:
        """Run the samples ``start`` to ``stop`` and compare them with their chunk of references, ``stored``."""
        made: List[List[np.ndarray]] = []
        for position in range(start, stop):
            made.append(self._run(position, timed=True))
        chunk = chunk_file.read(stored)
        if chunk is None:
            raise VerificationError(f"{stored.path}, a reference, was changed during the check; run the check again")
        for errors, outputs, reference, float32 in zip(self._errors, zip(*made), chunk.reference, chunk.float32):
            if np.isfinite(reference).all() and np.isfinite(float32).all():
                errors.add(start, np.stack(outputs), reference, float32, chunk.rows)

    def finish(self) -> Dict[str, Any]:
        """What was gathered, one entry an output."""
        return {"errors": self._errors, "latency": self._latency}

    def _run(self, position: int, timed: bool = False) -> List[np.ndarray]:
        arrays = self._source.sample(position)
        began = time.perf_counter()
        with foreign_errors(f"at input {position}: the runtime failed", *LIBRARIES, error_class=VerificationError):
            outputs = self._runtime.run(arrays)
        if timed:
            self._latency.add(time.perf_counter() - began)
        if len(outputs) != len(self._outputs):
            raise VerificationError(f"at input {position} came {len(outputs)} outputs, not {len(self._outputs)}")
        for spec, output in zip(self._outputs, outputs):
            if tuple(output.shape) != tuple(spec.shape):
                raise VerificationError(
                    f"at input {position}: {spec.name} came out with shape {list(output.shape)}; PyTorch's has "
                    f"{list(spec.shape)}"
                )
        return outputs
