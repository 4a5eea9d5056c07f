"""Run a ``.tflite`` and read all of its tensors, not the outputs alone."""

from typing import Dict, List

import numpy as np
import tensorflow as tf

from ferry.errors import InputFileError, first_line
from ferry.runtimes.tflite_runtime import ONE_THREAD
from ferry.tflite.cut import cut
from ferry.verify.quantized.network import Network


class EveryTensor:
    """``network`` in an interpreter of TF's own, whose every computed tensor is an output: none is overwritten.

    The operators and their kernels are those of the file.

    Raises:
        InputFileError: the interpreter cannot prepare it.
    """

    def __init__(self, network: Network):
        self._network = network
        self._tensors = [*network.inputs, *network.computed()]
        data = cut(network.data, outputs=network.computed())
        try:
            self._interpreter = tf.lite.Interpreter(model_content=data, **ONE_THREAD)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise InputFileError(f"TensorFlow Lite cannot prepare it: {first_line(error)}") from error

    def run(self, arrays: List[np.ndarray]) -> Dict[int, np.ndarray]:
        """The tensors by their positions, as the file holds them; ``arrays`` are the inputs, one a tensor.

        Numbers are quantized with the file's own steps where it takes integers for them.
        """
        # An operator with a state keeps it from one run to the next.
        self._interpreter.reset_all_variables()
        for tensor, array in zip(self._network.inputs, arrays):
            self._interpreter.set_tensor(tensor, as_input(self._network, tensor, array))
        self._interpreter.invoke()
        return {tensor: self._interpreter.get_tensor(tensor) for tensor in self._tensors}


def as_input(network: Network, tensor: int, array: np.ndarray) -> np.ndarray:
    """``array`` as the input ``tensor`` takes it: integers, where they stand for numbers there."""
    held = network.tensors[tensor]
    if not held.quantized or array.dtype.kind != "f":
        return np.ascontiguousarray(array, held.dtype)
    assert held.steps is not None
    bounds = np.iinfo(held.dtype)
    return np.clip(np.rint(array / held.steps.scale) + held.steps.zero, bounds.min, bounds.max).astype(held.dtype)
