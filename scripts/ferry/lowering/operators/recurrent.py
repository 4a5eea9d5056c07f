"""``LSTM``, ``GRU`` and ``RNN``, unrolled over their static number of steps.

The inputs' share of all steps is one matrix product, so that a step is one product with the state and a dozen small
operators, and each weight is in the file once.
"""

from typing import Callable, Dict, List, Optional, Tuple

import numpy as np
import tensorflow as tf

from ferry.graph.operator_registry import lowers
from ferry.lowering.declined import Declined, Lowered
from ferry.lowering.node import Node
from ferry.lowering.recurrent_layer import Direction, Layer, read
from ferry.lowering.tensors import Tensors

State = Tuple[Optional[tf.Tensor], ...]
Step = Callable[[tf.Tensor, State], State]


@lowers("GRU", "LSTM", "RNN", order=1)
def lower(node: Node, tensors: Tensors) -> Lowered:
    """Run static ``X`` (T, N, I) through a layer with constant weights; ``Y`` (T, D, N, H), ``Y_h`` and ``Y_c``."""
    layer = read(node, tensors)
    if isinstance(layer, Declined):
        return layer
    lengths = None if layer.lengths is None else tf.cast(tensors[layer.lengths], tf.int32)[:, None]
    roles = ("initial_h", "initial_c") if node.operator == "LSTM" else ("initial_h",)
    outputs, finals = [], []
    for position, direction in enumerate(layer.directions):
        # No product is needed with a state of zeros.
        state: State = tuple(
            tensors[layer.initial[role]][position] if role in layer.initial else None for role in roles
        )
        made, last = _run(STEPS[node.operator](node, direction), layer, position, state, lengths)
        outputs.append(tf.reshape(made, [*layer.shape[:1], 1, layer.shape[1], layer.hidden]))
        finals.append(last)
    y = outputs[0] if len(outputs) == 1 else tf.concat(outputs, 1)
    rest = [tf.stack([last[index] for last in finals]) for index in range(len(roles))]
    return [y, *rest][: len(node.outputs)]


def _run(
    step: Step, layer: Layer, position: int, state: State, lengths: Optional[tf.Tensor]
) -> Tuple[tf.Tensor, State]:
    """The hidden states (T, N, H) of all steps, in the order of ``x``, and the state after the last."""
    (steps, batch, features), direction = layer.shape, layer.directions[position]
    product = tf.matmul(tf.reshape(layer.x, [steps * batch, features]), np.ascontiguousarray(direction.w.T))
    shares = tf.unstack(tf.reshape(tf.nn.bias_add(product, direction.input_bias), [steps, batch, -1]))
    made: List[tf.Tensor] = [shares[0]] * steps
    zeros = tf.zeros([batch, layer.hidden], layer.x.dtype)
    for time in reversed(range(steps)) if layer.backwards[position] else range(steps):
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
