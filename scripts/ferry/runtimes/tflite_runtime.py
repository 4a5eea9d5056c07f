"""TensorFlow Lite: does the file that goes on the phone compute what PyTorch does?"""

import inspect
from typing import Any, Dict, List

import numpy as np
import tensorflow as tf

from ferry.errors import InputFileError, UnsupportedModelError, first_line
from ferry.runtimes import Runtime, TensorSpec
from ferry.tflite import flatbuffer

# TF 2.2's interpreter takes no such argument, and uses up to four threads for a convolution.
ONE_THREAD = {"num_threads": 1} if "num_threads" in inspect.signature(tf.lite.Interpreter).parameters else {}
NO_FLEX = "Regular TensorFlow ops are not supported by this interpreter"


class TfliteRuntime(Runtime):
    """The TFLite model in ``path``, in one interpreter."""

    def __init__(self, path: str):
        # The interpreter reads a file that is cut short without a check, and takes the process down with it.
        data = flatbuffer.load(path)
        try:
            self._interpreter = tf.lite.Interpreter(model_content=data, **ONE_THREAD)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            reason = first_line(error)
            if NO_FLEX in reason:
                raise UnsupportedModelError(
                    f"{path} needs the Flex delegate, which TensorFlow {tf.__version__}'s interpreter is without: "
                    "TF=2.4 can run, and so verify, such a model"
                ) from error
            raise InputFileError(f"TensorFlow Lite cannot prepare {path}: {reason}") from error
        self._operators = flatbuffer.operators(data)
        inputs = self._interpreter.get_input_details()
        outputs = self._interpreter.get_output_details()
        self.inputs = [_spec(detail) for detail in inputs]
        self.outputs = [_spec(detail) for detail in outputs]
        self._input_indices = [detail["index"] for detail in inputs]
        self._output_indices = [detail["index"] for detail in outputs]

    def run(self, arrays: List[np.ndarray]) -> List[np.ndarray]:
        for index, array in zip(self._input_indices, arrays):
            self._interpreter.set_tensor(index, array)
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index) for index in self._output_indices]

    def details(self) -> Dict[str, Any]:
        return {"operators": dict(sorted(self._operators.items()))}


def _spec(detail: Dict[str, Any]) -> TensorSpec:
    return TensorSpec(detail["name"], tuple(int(size) for size in detail["shape"]), np.dtype(detail["dtype"]))
