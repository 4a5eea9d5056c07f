"""What the float model computes on the calibration inputs: each tensor's range, and its mean."""

from typing import Callable, Dict, Iterable, List, NamedTuple

import numpy as np
import tensorflow as tf

from ferry.tflite.cut import cut
from ferry.tflite.editable import EditableModel

# What masks scores before a softmax is as good as infinite: no steps reach so far.
INFINITE = 1e8


# It gives the samples, each one array an input, anew each time that it is called.
Samples = Callable[[], Iterable[List[np.ndarray]]]


class Range(NamedTuple):
    """The least and the greatest value."""

    low: float
    high: float


class Seen(NamedTuple):
    """The range of each float tensor by its number, infinities left out; those that had any; and the tensors' means.

    A mean has the tensor's own shape: it is taken over the samples alone.
    """

    ranges: Dict[int, Range]
    infinite: List[int]
    means: Dict[int, np.ndarray]


class AllTensors:
    """The float model ``data``, in an interpreter that gives each tensor that it computes."""

    def __init__(self, data: bytes):
        model = EditableModel(data)
        self.inputs = model.inputs
        self.computed = [int(each) for operator in model.operators for each in operator.outputs]
        self._interpreter = tf.lite.Interpreter(model_content=cut(data, outputs=self.computed), num_threads=1)
        self._interpreter.allocate_tensors()
        self._floats = [each for each in [*self.inputs, *self.computed] if model.is_float(each)]

    def run(self, arrays: List[np.ndarray]) -> Dict[int, np.ndarray]:
        """The float tensors by their numbers, the inputs among them, for one sample."""
        for tensor, array in zip(self.inputs, arrays):
            self._interpreter.set_tensor(tensor, array)
        self._interpreter.invoke()
        return {tensor: self._interpreter.get_tensor(tensor) for tensor in self._floats}


def observe(data: bytes, samples: Iterable[List[np.ndarray]]) -> Seen:
    """Run the float model ``data`` on the samples, each one array an input, and note what its tensors hold."""
    model = AllTensors(data)
    lows: Dict[int, float] = {}
    highs: Dict[int, float] = {}
    sums: Dict[int, np.ndarray] = {}
    infinite: Dict[int, None] = {}
    count = 0
    for arrays in samples:
        count += 1
        for tensor, value in model.run(arrays).items():
            finite = value[np.abs(value) < INFINITE]
            if finite.size < value.size:
                infinite[tensor] = None
            if finite.size:
                lows[tensor] = min(lows.get(tensor, np.inf), float(finite.min()))
                highs[tensor] = max(highs.get(tensor, -np.inf), float(finite.max()))
            sums[tensor] = sums.get(tensor, 0.0) + value.astype(np.float64)
    ranges = {tensor: Range(low, highs[tensor]) for tensor, low in lows.items()}
    return Seen(ranges, list(infinite), {tensor: total / count for tensor, total in sums.items()})
