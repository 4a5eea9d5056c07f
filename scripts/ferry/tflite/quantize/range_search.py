"""Cut each tensor's range where the outputs gain by it: fewer extreme values, and finer steps for all others.

One tensor at a time is quantized in the float model, with one share of its range after another; the outputs say which
share is best. What is clipped where it does no harm is not told from the tensor alone: a mean error there is no guide.
"""

from typing import Dict, List, Optional, Set

import numpy as np
import tensorflow as tf

from ferry.tflite.cut import cut
from ferry.tflite.editable import EditableModel
from ferry.tflite.multiply_adds import multiply_adds
from ferry.tflite.quantize import float_model
from ferry.tflite.quantize.float_run import AllTensors, Range, Samples

SHARES = (1.0, 0.85, 0.7, 0.55, 0.42, 0.32, 0.24, 0.18)
# A share that is this much worse than the best one so far ends the search: smaller ones clip more.
WORSE = 2.0
# The most samples that are tried, and the fewest that tell anything.
MOST, LEAST = 16, 4
# About a minute on one thread, in multiply-adds; a count, and no clock, so that the file is the same on any machine.
BUDGET = 6e11
# They move or pick values: what they make has the steps of what they read.
FOLLOW = {
    *("AVERAGE_POOL_2D", "BATCH_TO_SPACE_ND", "DEPTH_TO_SPACE", "EXPAND_DIMS", "GATHER", "MAX_POOL_2D", "MIRROR_PAD"),
    *("PAD", "PADV2", "RELU", "RELU6", "RESHAPE", "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR", "REVERSE_V2", "SLICE"),
    *(
        "SPACE_TO_BATCH_ND",
        "SPACE_TO_DEPTH",
        "SPLIT",
        "SPLIT_V",
        "SQUEEZE",
        "STRIDED_SLICE",
        "TILE",
        "TRANSPOSE",
        "UNPACK",
    ),
}
# They give all that they read one set of steps, which a cut of one would clip the others to.
JOIN = {"CONCATENATION", "MAXIMUM", "MINIMUM", "PACK", "SELECT", "SELECT_V2"}
# What they make has steps that the scheme lays down.
FIXED = {"LOGISTIC", "L2_NORMALIZATION", "LOG_SOFTMAX", "SOFTMAX", "TANH"}


def cut_ranges(data: bytes, ranges: Dict[int, Range], samples: Samples, in_float: Set[int]) -> Dict[int, Range]:
    """The ranges to use for the float model ``data``: ``ranges``, or a part of them.

    Args:
        ranges: what was measured of each tensor, with 0 in it.
        samples: gives the calibration inputs, one array an input; some of them are tried.
        in_float: the positions of the operators that stay in float.
    """
    search = _Search(data, in_float)
    tensors = [tensor for tensor in search.tensors if tensor in ranges]
    count = int(BUDGET / max(1.0, multiply_adds(data) * len(tensors) * len(SHARES) / 4)) if tensors else 0
    used = dict(ranges)
    if count >= LEAST:
        search.prepare(samples, min(count, MOST))
        for tensor in tensors:
            share = search.best_share(tensor, ranges[tensor])
            used[tensor] = Range(ranges[tensor].low * share, ranges[tensor].high * share)
    search.follow(used)
    return used


class _Search:
    """The float model, and what it computes of some samples."""

    def __init__(self, data: bytes, in_float: Set[int]):
        self._data, self._model = data, EditableModel(data)
        self._kinds = [float_model.kind_of(self._model, operator) for operator in self._model.operators]
        self._values: List[Dict[int, np.ndarray]] = []
        self._outputs = [
            int(each)
            for operator in self._model.operators
            for each in operator.outputs
            if self._model.is_output(int(each))
        ]
        self.tensors = self._searched(in_float)

    def _searched(self, in_float: Set[int]) -> List[int]:
        """The tensors whose ranges may be cut: those that an operator in int8 computes, with steps of their own."""
        positions = {id(operator): position for position, operator in enumerate(self._model.operators)}
        found = []
        for position, operator in enumerate(self._model.operators):
            if position in in_float or self._kinds[position] in FOLLOW | JOIN | FIXED:
                continue
            for tensor in (int(each) for each in operator.outputs):
                users = [positions[id(user)] for user in self._model.users.get(tensor, [])]
                joined = any(self._kinds[user] in JOIN or user in in_float for user in users)
                if users and not joined and self._model.is_float(tensor) and not self._model.is_output(tensor):
                    found.append(tensor)
        return found

    def prepare(self, samples: Samples, count: int) -> None:
        """Run the model on ``count`` of the samples, from all over them."""
        every = list(samples())
        chosen = every[:: max(1, len(every) // count)][:count]
        model = AllTensors(self._data)
        self._values = [model.run(arrays) for arrays in chosen]

    def best_share(self, tensor: int, found: Range) -> float:
        """The share of the range ``found`` with which the outputs are nearest to what they are in float."""
        rest = self._rest(tensor)
        if rest is None:
            return 1.0
        best, least = 1.0, np.inf
        for share in SHARES:
            error = sum(rest.error(values, tensor, found, share) for values in self._values)
            if error < least:
                best, least = share, error
            elif error > WORSE * least:
                break
        return best

    def _rest(self, tensor: int) -> Optional["_Rest"]:
        reached, changed, outside = [], {tensor}, {tensor: None}
        for position, operator in enumerate(self._model.operators):
            read = [int(each) for each in operator.inputs if each >= 0]
            if changed & set(read):
                reached.append(position)
                changed.update(int(each) for each in operator.outputs)
        for position in reached:
            for each in self._model.operators[position].inputs:
                made = int(each) >= 0 and (int(each) in self._model.makers or int(each) in self._model.inputs)
                if made and int(each) not in changed:
                    outside[int(each)] = None
        outputs = [each for each in self._outputs if each in changed and self._model.is_float(each)]
        floats = all(self._model.is_float(each) for each in outside)
        if not outputs or not floats:
            return None
        return _Rest(cut(self._data, reached, list(outside), outputs), list(outside), outputs)

    def follow(self, used: Dict[int, Range]) -> None:
        """Give what is moved or picked the range of what it is picked from."""
        for kind, operator in zip(self._kinds, self._model.operators):
            source = int(operator.inputs[1 if kind == "SPLIT" else 0]) if len(operator.inputs) else -1
            if kind in FOLLOW - {"RELU", "RELU6"} and source in used:
                for tensor in operator.outputs:
                    if int(tensor) in used:
                        used[int(tensor)] = used[source]


class _Rest:
    """The part of the model that depends on a tensor."""

    def __init__(self, data: bytes, inputs: List[int], outputs: List[int]):
        self._inputs, self._outputs = inputs, outputs
        self._interpreter = tf.lite.Interpreter(model_content=data, num_threads=1)
        self._interpreter.allocate_tensors()

    def error(self, values: Dict[int, np.ndarray], tensor: int, found: Range, share: float) -> float:
        """By how much the outputs of one sample are off with ``tensor`` quantized, over their own power."""
        for each in self._inputs:
            value = values[each]
            self._interpreter.set_tensor(each, quantized(value, found, share) if each == tensor else value)
        self._interpreter.invoke()
        total = 0.0
        for each in self._outputs:
            wanted = values[each].astype(np.float64)
            power = float(np.square(wanted).sum()) or 1.0
            total += float(np.square(self._interpreter.get_tensor(each) - wanted).sum()) / power
        return total


def quantized(value: np.ndarray, found: Range, share: float) -> np.ndarray:
    """``value`` rounded to the 256 steps of ``share`` of the range ``found``, and clipped to it."""
    low, high = found.low * share, found.high * share
    scale = (high - low) / 255
    zero = np.rint(-128 - low / scale)
    return ((np.clip(np.rint(value / scale) + zero, -128, 127) - zero) * scale).astype(np.float32)
