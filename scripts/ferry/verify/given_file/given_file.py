"""A ``.tflite`` that another converter made, and how it is opened as the model that it is said to be."""

from typing import Any, Dict, List, NamedTuple

import numpy as np

from ferry.errors import FerryError, UnsupportedModelError, foreign_errors
from ferry.model.model_source import ModelSource
from ferry.runtimes import LIBRARIES, Runtime, TensorSpec
from ferry.runtimes.arrangement import ArrangedRuntime, Arrangement
from ferry.targets import target_tables, uses
from ferry.tflite import flatbuffer
from ferry.verify import measure
from ferry.verify.given_file import matching
from ferry.worker import Worker

# What TensorFlow 2.4's own interpreter has.
OF_FERRY = (2, 4)


class GivenFile(NamedTuple):
    """The file at ``path``, an interpreter with the newest TFLite runtime or nothing, and the user's ``IO=``."""

    path: str
    newest: str
    io: str


class Opening(NamedTuple):
    """How a worker opens the file as PyTorch's model: by ``python``'s runtime, or TensorFlow 2.4's if that is empty."""

    python: str
    arrangement: Arrangement
    inputs: List[TensorSpec]
    outputs: List[TensorSpec]


class Matched(NamedTuple):
    """How the file is opened, and what the reader is to know of that."""

    opening: Opening
    notes: List[str]


def matched(source: ModelSource, file: GivenFile, given: str, folder: str) -> Matched:
    """Find out which of the file's tensors are which of the model's; each is run on the first input.

    Args:
        source: the model.
        file: the file.
        given: the user's ``INPUTS=`` or an empty string.
        folder: where the input may be written.

    Raises:
        FerryError: the file cannot be read or run, or does not fit the model.
    """
    data = flatbuffer.load(file.path)
    python, notes = _runtime(data, file)
    reference = Worker(measure.REFERENCE, measure.open_reference, source)
    theirs = Worker("tflite", Trial, file.path, python)
    try:
        ours, found = reference.answer(), theirs.answer()
        inputs = reference.call("prepare", given, 1, folder, "")
        reference.call("begin", inputs, None)
        wanted = reference.call("first_outputs")
        theirs.call("take", ours["inputs"], ours["outputs"], inputs.sample(0), wanted)

        def tried(arrangement: Arrangement) -> float:
            distance: float = theirs.call("distance", arrangement)
            return distance

        result = matching.find(ours["inputs"], ours["outputs"], found["inputs"], found["outputs"], tried, file.io)
    finally:
        reference.close()
        theirs.close()
    notes = [f"{file.path} is a file that Ferry did not make; {result.how}", *notes]
    return Matched(Opening(python, result.arrangement, ours["inputs"], ours["outputs"]), notes)


def open_runtime(path: str, python: str) -> Runtime:
    """The file in ``python``'s runtime, or in TensorFlow 2.4's if that is empty."""
    if python:
        from ferry.runtimes.litert_runtime import LitertRuntime

        return LitertRuntime(path, python)
    from ferry.runtimes.tflite_runtime import TfliteRuntime

    return TfliteRuntime(path)


def open_arranged(path: str, opening: Opening) -> Runtime:
    """The file as ``opening`` says."""
    runtime = open_runtime(path, opening.python)
    return ArrangedRuntime(runtime, opening.arrangement, opening.inputs, opening.outputs)


class Trial:
    """A worker in which arrangements of the file at ``path`` are tried."""

    def __init__(self, path: str, python: str):
        self._runtime = open_runtime(path, python)

    def hello(self) -> Dict[str, Any]:
        """What the file takes and gives, by its own names and in its own order."""
        return {"inputs": self._runtime.inputs, "outputs": self._runtime.outputs}

    def take(
        self,
        inputs: List[TensorSpec],
        outputs: List[TensorSpec],
        arrays: List[np.ndarray],
        wanted: List[np.ndarray],
    ) -> None:
        """Take PyTorch's inputs and outputs, and their values on one input."""
        self._inputs, self._outputs, self._arrays, self._wanted = inputs, outputs, arrays, wanted

    def distance(self, arrangement: Arrangement) -> float:
        """The largest difference of an output from PyTorch's, over its own scale; infinite where it does not run."""
        runtime = ArrangedRuntime(self._runtime, arrangement, self._inputs, self._outputs)
        try:
            with foreign_errors("it does not run", *LIBRARIES):
                made = runtime.run(self._arrays)
        except FerryError:
            # Of values that an interpreter cannot work with, such as an index beyond a table.
            return float("inf")
        return max((_distance(one, other) for one, other in zip(made, self._wanted)), default=0.0)


def _distance(made: np.ndarray, wanted: np.ndarray) -> float:
    ours = wanted.astype(np.float64)
    scale = float(np.abs(ours).mean()) or 1.0
    distance = float(np.abs(made.astype(np.float64) - ours).mean()) / scale
    return distance if np.isfinite(distance) else float("inf")


def _runtime(data: bytes, file: GivenFile) -> Any:
    """The interpreter that runs the file, empty for TensorFlow 2.4's own, and what is to be said of that."""
    _, since = target_tables.runtimes()
    newer = sorted(
        {
            f"{use.operator} of version {use.version}"
            for use in uses.uses(data)
            if not use.operator.startswith("Flex") and since.get((use.operator, use.version), (9,))[:2] > OF_FERRY
        }
    )
    quantized = any(use.dtype in ("int8", "uint8", "int16") for use in uses.uses(data))
    notes = ["it is quantized, and is held to the limits of float32 here"] if quantized else []
    if not newer:
        return "", notes
    if not file.newest:
        raise UnsupportedModelError(
            f"{file.path} has {', '.join(newer)}, which TensorFlow 2.4's interpreter is without; RUNNER=venv runs it "
            "in the newest runtime"
        )
    return file.newest, [*notes, f"it runs in the newest TFLite runtime, for {', '.join(newer)}"]
