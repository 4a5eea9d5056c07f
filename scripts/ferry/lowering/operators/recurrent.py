"""``LSTM``, ``GRU`` and ``RNN``, unrolled over their static number of steps.

TFLite 2.4 fuses a recurrent layer only where it comes from Keras. Here the inputs' share of all steps is one matrix
product, so that a step is one product with the state and a dozen small operators, and each weight is in the file once.
"""

from typing import Callable, Dict, List, NamedTuple, Optional, Tuple, Union

import numpy as np
import tensorflow as tf

from ferry.graph.operator_registry import lowers
from ferry.lowering.declined import Declined, Lowered
from ferry.lowering.node import Node
from ferry.lowering.tensors import Tensors

ACTIVATIONS: Dict[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "relu": tf.nn.relu,
    "sigmoid": tf.sigmoid,
    "tanh": tf.tanh,
}
DEFAULTS = {"GRU": ["sigmoid", "tanh"], "LSTM": ["sigmoid", "tanh", "tanh"], "RNN": ["tanh"]}
GATES = {"GRU": 3, "LSTM": 4, "RNN": 1}

State = Tuple[Optional[tf.Tensor], ...]
Step = Callable[[tf.Tensor, State], State]


class Direction(NamedTuple):
    """One direction's weights: ``w`` (gates · H, I), ``r`` (gates · H, H), the two biases (gates · H), functions."""

    w: np.ndarray
    r: np.ndarray
    input_bias: np.ndarray
    state_bias: np.ndarray
    functions: List[Callable[[tf.Tensor], tf.Tensor]]
    peepholes: Optional[np.ndarray]


@lowers(*GATES)
def lower(node: Node, tensors: Tensors) -> Lowered:
    """Run static ``X`` (T, N, I) through a layer with constant weights; ``Y`` (T, D, N, H), ``Y_h`` and ``Y_c``."""
    shape = tensors.static_shape(node.inputs[0])
    given = dict(zip(("X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P"), node.inputs))
    given = {role: name for role, name in given.items() if name}
    weights = {role: tensors.constant(given[role]) for role in ("W", "R", "B", "P") if role in given}
    if shape is None or len(shape) != 3:
        return Declined("its input is not of static shape (steps, batch, features)", onnx_tf_differs=True)
    if any(array is None for array in weights.values()):
        return Declined("its weights are computed from the model's inputs", onnx_tf_differs=True)
    if "clip" in node.attributes:
        return Declined("it clips the inputs of its activations", onnx_tf_differs=True)
    directions = _directions(node, {role: array for role, array in weights.items() if array is not None}, shape[2])
    if isinstance(directions, Declined):
        return directions
    x, lengths = tensors[given["X"]], _lengths(given.get("sequence_lens"), tensors, shape[0])
    roles = ("initial_h", "initial_c") if node.operator == "LSTM" else ("initial_h",)
    hidden = directions[0].r.shape[1]
    outputs, finals = [], []
    for position, direction in enumerate(directions):
        backwards = position == 1 or node.attributes["direction"] == "reverse"
        state: State = tuple(_initial(given.get(role), tensors, position) for role in roles)
        made, last = _run(STEPS[node.operator](node, direction), direction, x, shape, state, backwards, lengths)
        outputs.append(tf.reshape(made, [shape[0], 1, shape[1], hidden]))
        finals.append(last)
    y = outputs[0] if len(outputs) == 1 else tf.concat(outputs, 1)
    rest = [tf.stack([last[index] for last in finals]) for index in range(len(roles))]
    return [y, *rest][: len(node.outputs)]


def _directions(node: Node, weights: Dict[str, np.ndarray], features: int) -> Union[List[Direction], Declined]:
    count = 2 if node.attributes["direction"] == "bidirectional" else 1
    each = len(DEFAULTS[node.operator])
    # ONNX's default for an RNN names two, whether it has two directions or one.
    given = node.attributes.get("activations", DEFAULTS[node.operator] * count)
    names = [name.lower() for name in given][: each * count]
    unknown = sorted(set(names) - set(ACTIVATIONS))
    if unknown or len(names) != each * count:
        return Declined(f"its activations are {', '.join(names)}", onnx_tf_differs=True)
    hidden = weights["R"].shape[-1]
    size = GATES[node.operator] * hidden
    biases = weights.get("B", np.zeros([count, 2 * size], weights["W"].dtype))
    shapes = [weights["W"].shape, weights["R"].shape, biases.shape]
    if shapes != [(count, size, features), (count, size, hidden), (count, 2 * size)]:
        return Declined(f"its weights have the shapes {shapes}, which do not fit", onnx_tf_differs=True)
    return [
        Direction(
            weights["W"][index],
            weights["R"][index],
            biases[index, :size],
            biases[index, size:],
            [ACTIVATIONS[name] for name in names[index * each : (index + 1) * each]],
            weights["P"][index] if "P" in weights else None,
        )
        for index in range(count)
    ]


def _initial(name: Optional[str], tensors: Tensors, position: int) -> Optional[tf.Tensor]:
    """The state (N, H) to start from; ``None`` for zeros, which need no product."""
    constant = tensors.constant(name) if name else np.zeros(1)
    if name is None or (constant is not None and not constant.any()):
        return None
    return tensors[name][position]


def _lengths(name: Optional[str], tensors: Tensors, steps: int) -> Optional[tf.Tensor]:
    """The examples' lengths (N, 1), where they are not all ``steps``."""
    constant = tensors.constant(name) if name else None
    if name is None or (constant is not None and (constant == steps).all()):
        return None
    return tf.cast(tensors[name], tf.int32)[:, None]


def _run(
    step: Step,
    direction: Direction,
    x: tf.Tensor,
    shape: List[int],
    state: State,
    backwards: bool,
    lengths: Optional[tf.Tensor],
) -> Tuple[tf.Tensor, State]:
    """The hidden states (T, N, H) of all steps, in the order of ``x``, and the state after the last."""
    steps, batch, features = shape
    product = tf.matmul(tf.reshape(x, [steps * batch, features]), np.ascontiguousarray(direction.w.T))
    shares = tf.unstack(tf.reshape(tf.nn.bias_add(product, direction.input_bias), [steps, batch, -1]))
    made: List[tf.Tensor] = [shares[0]] * steps
    zeros = tf.zeros([batch, direction.r.shape[1]], x.dtype)
    for time in reversed(range(steps)) if backwards else range(steps):
        after = step(shares[time], state)
        made[time] = after[0]
        if lengths is not None:
            within = tf.less(time, lengths)
            held = [zeros if before is None else before for before in state]
            after = tuple(tf.where(within, new, old) for new, old in zip(after, held))
            made[time] = tf.where(within, made[time], zeros)
        state = after
    return tf.stack(made), state


def _lstm(node: Node, direction: Direction) -> Step:
    """A step of ``LSTM``: gates in the order input, output, forget, cell."""
    hidden = direction.r.shape[1]
    r, bias = tf.constant(np.ascontiguousarray(direction.r.T)), direction.state_bias
    gate, candidate, squash = direction.functions
    peep = None if direction.peepholes is None else np.split(direction.peepholes, 3)
    coupled = node.attributes["input_forget"]

    def step(share: tf.Tensor, state: State) -> State:
        h, c = state
        z = share + (bias if h is None else tf.nn.bias_add(tf.matmul(h, r), bias))
        if peep is None and not coupled:
            i, o, f = tf.split(gate(z[:, : 3 * hidden]), 3, axis=1)
            new = i * candidate(z[:, 3 * hidden :])
            c = new if c is None else f * c + new
            return o * squash(c), c
        zi, zo, zf, zc = tf.split(z, 4, axis=1)
        c = tf.zeros_like(zi) if c is None else c
        pi, po, pf = peep or [0.0, 0.0, 0.0]
        i = gate(zi + pi * c)
        f = 1.0 - i if coupled else gate(zf + pf * c)
        c = f * c + i * candidate(zc)
        return gate(zo + po * c) * squash(c), c

    return step


def _gru(node: Node, direction: Direction) -> Step:
    """A step of ``GRU``: gates in the order update, reset, hidden. PyTorch's resets after the product."""
    hidden = direction.r.shape[1]
    gate, candidate = direction.functions
    after_product = node.attributes["linear_before_reset"]
    parts = np.split(direction.r, [2 * hidden])
    r, r_gates, r_hidden = (tf.constant(np.ascontiguousarray(part.T)) for part in (direction.r, *parts))
    bias, (bias_gates, bias_hidden) = direction.state_bias, np.split(direction.state_bias, [2 * hidden])

    def step(share: tf.Tensor, state: State) -> State:
        (h,) = state
        x_gates, x_hidden = share[:, : 2 * hidden], share[:, 2 * hidden :]
        if h is None:
            z, reset = tf.split(gate(x_gates + bias_gates), 2, axis=1)
            inner = reset * bias_hidden if after_product else bias_hidden
            new = candidate(x_hidden + inner)
            return (new - z * new,)
        if after_product:
            product = tf.nn.bias_add(tf.matmul(h, r), bias)
            z, reset = tf.split(gate(x_gates + product[:, : 2 * hidden]), 2, axis=1)
            new = candidate(x_hidden + reset * product[:, 2 * hidden :])
        else:
            z, reset = tf.split(gate(x_gates + tf.nn.bias_add(tf.matmul(h, r_gates), bias_gates)), 2, axis=1)
            new = candidate(x_hidden + tf.nn.bias_add(tf.matmul(reset * h, r_hidden), bias_hidden))
        return (new + z * (h - new),)

    return step


def _rnn(_node: Node, direction: Direction) -> Step:
    """A step of ``RNN``."""
    r, bias = tf.constant(np.ascontiguousarray(direction.r.T)), direction.state_bias
    (function,) = direction.functions

    def step(share: tf.Tensor, state: State) -> State:
        (h,) = state
        return (function(share + (bias if h is None else tf.nn.bias_add(tf.matmul(h, r), bias))),)

    return step


STEPS: Dict[str, Callable[[Node, Direction], Step]] = {"GRU": _gru, "LSTM": _lstm, "RNN": _rnn}
