"""The worker that runs PyTorch beside a quantized file: inputs, the float model's outputs, and its own metric."""

import os
from typing import Any, Callable, Dict, List, Optional, Tuple

import numpy as np

from ferry.errors import ModelFileError, VerificationError
from ferry.model import model_file, user_code
from ferry.model.model_source import ModelSource
from ferry.runtimes import TensorSpec
from ferry.verify.input_source import InputSource
from ferry.verify.reference_worker import ReferenceWorker

# It reads the calibration inputs that a user gave, of the model in a file, with its inputs, by way of a folder.
ReadCalibration = Callable[[str, str, List[TensorSpec], str], InputSource]
# What a metric is computed of has to be held at once.
MOST_METRIC_BYTES = 2**30


class FloatWorker(ReferenceWorker):
    """The model of ``source`` in float32, which a quantized file is to decide like."""

    def __init__(self, source: ModelSource):
        super().__init__(source)
        self._kept: List[Tuple[List[np.ndarray], List[np.ndarray], List[np.ndarray]]] = []
        self._bytes = 0

    def calibration(self, read: ReadCalibration, given: str, folder: str) -> Optional[InputSource]:
        """The calibration inputs that ``given`` means, or else the model file's own, as ``read`` reads them.

        ``None`` where there are none, or where they take code of the model's that another PyTorch runs.

        Raises:
            VerificationError: they are none that ranges can be measured on.
        """
        if self._other is not None and (not given or os.path.isdir(given)):
            return None
        if not given and self._own("get_calibration_inputs") is None:
            return None
        return read(given, self._path, self._model.inputs, folder)

    def take(self, source: InputSource) -> Dict[str, Any]:
        """Take the inputs, and say what of the model file's own there is to judge by."""
        self._source = source
        return {"metric": self._own("get_metric") is not None}

    def outputs(self, start: int, stop: int) -> List[List[np.ndarray]]:
        """The float model's outputs for the inputs ``start`` to ``stop``, one list an input."""
        return [self._outputs(self._model, self._source.sample(place), place) for place in range(start, stop)]

    def keep(self, start: int, floating: List[List[np.ndarray]], quantized: List[List[np.ndarray]]) -> None:
        """Keep the two models' outputs for the metric.

        Raises:
            VerificationError: they would not fit into memory.
        """
        for place, (ours, theirs) in enumerate(zip(floating, quantized)):
            arrays = self._source.sample(start + place)
            self._kept.append((arrays, ours, theirs))
            self._bytes += sum(array.nbytes for each in (arrays, ours, theirs) for array in each)
        if self._bytes > MOST_METRIC_BYTES:
            raise VerificationError("the inputs and outputs for get_metric() take more than 1 GB: give fewer SAMPLES=")

    def metric(self) -> Tuple[float, float]:
        """What the model file's ``get_metric()`` says of the float model's outputs, and of the quantized one's.

        ``get_metric()`` returns a function of the inputs and the outputs, each a list of arrays [samples, …], one an
        input or output; it returns a number, of which more is better.

        Raises:
            ModelFileError: it fails, or gives no number.
        """
        function = self._own("get_metric")
        assert function is not None
        arrays, floating, quantized = ([np.stack(each) for each in zip(*part)] for part in zip(*self._kept))
        found: Tuple[float, float] = user_code.guard(
            self._path, "get_metric()", lambda: _of_both(function(), arrays, floating, quantized)
        )
        if not np.isfinite(found).all():
            raise ModelFileError(f"{self._path}: get_metric() gave {found[0]} and {found[1]}, which are no numbers")
        return found

    def _own(self, name: str) -> Optional[Callable[..., Any]]:
        return model_file.optional_function(self._path, name) if self._other is None else None


def _of_both(
    measure: Callable[..., Any], arrays: List[np.ndarray], floating: List[np.ndarray], quantized: List[np.ndarray]
) -> Tuple[float, float]:
    return float(measure(arrays, floating)), float(measure(arrays, quantized))


def open_float(source: ModelSource) -> FloatWorker:
    """What a worker calls to open PyTorch."""
    return FloatWorker(source)
