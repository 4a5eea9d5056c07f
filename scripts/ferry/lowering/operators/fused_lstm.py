"""``LSTM`` as TFLite's UNIDIRECTIONAL_SEQUENCE_LSTM, two of them where it is bidirectional.

That operator keeps its states from call to call, and starts from zeros only at the first. So the sequence has steps
before its own, with columns that only they fill: in the first one a flag closes the input and forget gates, and the
states are zero again, whatever they were. A cell state to start from is then added up; a hidden one comes in through
columns of the first step of the sequence itself, whose weights are the state's own.
"""

import math
from typing import List, NamedTuple, Optional, Union

import numpy as np
import tensorflow as tf

from ferry.graph.operator_registry import lowers
from ferry.lowering.declined import Declined, Lowered
from ferry.lowering.node import Node
from ferry.lowering.old_converter import IS_OLD
from ferry.lowering.recurrent_layer import Direction, Layer, read
from ferry.lowering.sequence_lstm import sequence_lstm
from ferry.lowering.tensors import Tensors

# A gate that is given this much is open or closed to the last bit.
SATURATED = 200.0
# What one step adds to a cell state is a tanh, which loses digits near 1.
MOST_A_STEP, MOST_CELL_STEPS = 0.6, 16
# A flag beyond float16's largest value would be infinite in such a file.
LARGEST_FLAG = 1e4
FUNCTIONS = [tf.sigmoid, tf.tanh, tf.tanh]


class Weights(NamedTuple):
    """A direction's weights, transposed, with gates as TFLite has them: (I, 4·H), (H, 4·H) and (4·H)."""

    kernel: np.ndarray
    recurrent: np.ndarray
    bias: np.ndarray


class Start(NamedTuple):
    """What a direction starts from: ``hidden`` (N, H), and the constant ``cell`` (N, H); ``None`` for zeros."""

    hidden: Optional[tf.Tensor]
    cell: Optional[np.ndarray]


@lowers("GRU", "LSTM", "RNN", order=0)
def lower(node: Node, tensors: Tensors) -> Lowered:
    """Run static ``X`` (T, N, I) through an LSTM with constant weights, where ``RECURRENT`` or the rule fuses it."""
    layer = read(node, tensors)
    if isinstance(layer, Declined) or not tensors.recurrence.fuses(layer.shape[0]):
        return Declined("it is unrolled")
    starts = _starts(node, layer, tensors)
    if isinstance(starts, Declined):
        tensors.recurrence.unrolled[node.name or node.outputs[0]] = starts.reason
        return starts
    outputs, hidden, cells = [], [], []
    for direction, backwards, start in zip(layer.directions, layer.backwards, starts):
        weights = _weights(direction)
        x = layer.x[::-1] if backwards else layer.x
        before, made = _run(x, weights, start)
        hidden.append(made[-1])
        if node.outputs[2:]:
            cells.append(_last_cell(x, made[before:], weights, start))
        own = made[: before - 1 : -1] if backwards else made[before:]
        outputs.append(tf.reshape(own, [*layer.shape[:1], 1, layer.shape[1], layer.hidden]))
    y = outputs[0] if len(outputs) == 1 else tf.concat(outputs, 1)
    return [y, *(tf.stack(states) for states in (hidden, cells) if states)][: len(node.outputs)]


def _starts(node: Node, layer: Layer, tensors: Tensors) -> Union[List[Start], Declined]:
    """What each direction starts from; or why TFLite's operator does not compute this layer."""
    if node.operator != "LSTM":
        return Declined("TFLite has a fused operator for LSTM alone")
    if IS_OLD:
        return Declined("the converter of TensorFlow 2.2 fuses none")
    if layer.x.dtype != tf.float32:
        return Declined("its input is not float32")
    if layer.lengths is not None:
        return Declined("its examples have lengths of their own")
    if node.attributes["input_forget"] or any(
        each.peepholes is not None or each.functions != FUNCTIONS for each in layer.directions
    ):
        return Declined("it has peepholes, coupled gates or other activations than sigmoid and tanh")
    hidden, cell = layer.initial.get("initial_h"), layer.initial.get("initial_c")
    constant = tensors.constant(cell) if cell else None
    if cell and constant is None:
        return Declined("the cell state that it starts from is computed")
    if constant is not None and np.abs(constant).max() > MOST_A_STEP * MOST_CELL_STEPS:
        return Declined(f"the cell state that it starts from is beyond {MOST_A_STEP * MOST_CELL_STEPS:g}")
    return [
        Start(tensors[hidden][position] if hidden else None, None if constant is None else constant[position])
        for position in range(len(layer.directions))
    ]


def _weights(direction: Direction) -> Weights:
    def gates(array: np.ndarray) -> np.ndarray:
        """From ONNX's order, input, output, forget, cell, to TFLite's: input, forget, cell, output."""
        enter, leave, forget, cell = np.split(array, 4)
        return np.ascontiguousarray(np.concatenate([enter, forget, cell, leave]).T)

    bias = direction.input_bias.astype(np.float64) + direction.state_bias
    return Weights(gates(direction.w), gates(direction.r), gates(bias.astype(direction.w.dtype)))


def _run(x: tf.Tensor, weights: Weights, start: Start) -> "tuple":
    """How many steps there are before those of ``x``, and the hidden states of all."""
    steps, batch, features = x.shape.as_list()
    size = weights.recurrent.shape[0]
    columns, rows = [_flag(weights, enter=-1, forget=-1, leave=0)], 1
    if start.cell is not None:
        rows += max(1, math.ceil(float(np.abs(start.cell).max()) / MOST_A_STEP))
        to_cell = np.concatenate([np.zeros([size, 2 * size]), np.eye(size), np.zeros([size, size])], 1)
        columns += [_flag(weights, enter=1, forget=1, leave=-1), Column(to_cell, 1.0)]
    extra = sum(len(column.weights) for column in columns)
    before = np.zeros([rows, batch, features + extra])
    before[0, :, features] = columns[0].value
    if start.cell is not None:
        before[1:, :, features + 1] = columns[1].value
        bias = weights.bias[2 * size : 3 * size]
        before[1:, :, features + 2 :] = np.arctanh(start.cell.astype(np.float64) / (rows - 1)) - bias
    kernel = [weights.kernel, *(column.weights for column in columns)]
    parts = [tf.pad(x, [[0, 0], [0, 0], [0, extra]])]
    if start.hidden is not None:
        kernel.append(weights.recurrent)
        before = np.concatenate([before, np.zeros([rows, batch, size])], 2)
        parts.append(tf.pad(start.hidden[None], [[0, steps - 1], [0, 0], [0, 0]]))
    own = parts[0] if len(parts) == 1 else tf.concat(parts, 2)
    dtype = weights.kernel.dtype
    whole = tf.concat([tf.constant(before.astype(dtype)), own], 0)
    joined = np.concatenate(kernel).astype(dtype)
    return rows, sequence_lstm(whole, joined, weights.recurrent, weights.bias)


class Column(NamedTuple):
    """Columns of the input that only steps before the sequence fill: their weights (K, 4·H), and with which value."""

    weights: np.ndarray
    value: float


def _flag(weights: Weights, enter: int, forget: int, leave: int) -> Column:
    """A column that opens gates, 1, or closes them, -1, or leaves them, 0, whatever the state is.

    Its weights are no larger than the others, where that can be: whoever quantizes them finds the range they had.
    """
    size = weights.recurrent.shape[0]
    most = float(np.abs(weights.recurrent).sum(0).max() + np.abs(weights.bias).max()) + SATURATED
    usual = float(max(np.abs(array).max() for array in weights))
    weight = max(usual, most / LARGEST_FLAG)
    return Column(np.repeat(np.array([enter, forget, 0, leave], np.float64) * weight, size)[None], most / weight)


def _last_cell(x: tf.Tensor, made: tf.Tensor, weights: Weights, start: Start) -> tf.Tensor:
    """The cell state after the last step, which TFLite's operator does not give.

    With all hidden states known, all gates are. A step makes ``forget · c + entered`` of ``c``, and two steps in a row
    make one of the same form: they are joined pair by pair until one is left.
    """
    steps, batch, features = x.shape.as_list()
    size = weights.recurrent.shape[0]
    first = tf.zeros([1, batch, size], x.dtype) if start.hidden is None else start.hidden[None]
    states = tf.concat([first, made[:-1]], 0)
    both = tf.reshape(tf.concat([x, states], 2), [steps * batch, features + size])
    gates = tf.nn.bias_add(tf.matmul(both, np.concatenate(weights[:2])[:, : 3 * size]), weights.bias[: 3 * size])
    enter, forget, cell = tf.split(gates, 3, axis=1)
    forget = tf.reshape(tf.sigmoid(forget), [steps, batch, size])
    entered = tf.reshape(tf.sigmoid(enter) * tf.tanh(cell), [steps, batch, size])
    while steps > 1:
        if steps % 2:
            # A step that changes nothing.
            forget = tf.concat([np.ones([1, batch, size], weights.bias.dtype), forget], 0)
            entered = tf.pad(entered, [[1, 0], [0, 0], [0, 0]])
        steps = (steps + 1) // 2
        older, newer = tf.unstack(tf.reshape(forget, [steps, 2, batch, size]), axis=1)
        before, after = tf.unstack(tf.reshape(entered, [steps, 2, batch, size]), axis=1)
        forget, entered = newer * older, newer * before + after
    return entered[0] if start.cell is None else forget[0] * start.cell + entered[0]
