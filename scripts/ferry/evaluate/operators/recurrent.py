"""``LSTM``, ``GRU`` and ``RNN``, step by step."""

from typing import Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from ferry.evaluate.bounded import Bounded
from ferry.evaluate.operators.arithmetic import add, multiply
from ferry.evaluate.operators.elementwise import monotone, step
from ferry.evaluate.operators.matrix import product
from ferry.evaluate.registry import Node, NotEvaluatedError, given, operator, required

GATES = {"GRU": 3, "LSTM": 4, "RNN": 1}
DEFAULTS = {"GRU": ["Sigmoid", "Tanh"], "LSTM": ["Sigmoid", "Tanh", "Tanh"], "RNN": ["Tanh"]}
FUNCTIONS = {"sigmoid": ("Sigmoid", monotone), "tanh": ("Tanh", monotone), "relu": ("Relu", step)}
ONE = Bounded(np.array(1.0))

State = List[Bounded]


class Layer(NamedTuple):
    """One direction: weights transposed (I, gates · H) and (H, gates · H), biases of gates · H, its functions."""

    node: Node
    w: Bounded
    r: Bounded
    input_bias: Bounded
    state_bias: Bounded
    functions: List[str]
    peepholes: Optional[Bounded]
    hidden: int

    def apply(self, position: int, x: Bounded) -> Bounded:
        """The function at ``position`` of the layer's."""
        name, function = FUNCTIONS[self.functions[position]]
        proto = type(self.node.proto)(op_type=name)
        return function(self.node._replace(proto=proto), [x])[0]

    def gate(self, x: Bounded, position: int) -> Bounded:
        """One gate's share of what was computed for all."""
        return x.moved(lambda array: array[..., position * self.hidden : (position + 1) * self.hidden])

    def plus(self, first: Bounded, second: Bounded) -> Bounded:
        """A sum."""
        return add(first, second, self.node.bounds)

    def times(self, first: Bounded, second: Bounded) -> Bounded:
        """A product, element by element."""
        return multiply(first, second, self.node.bounds)

    def mixed(self, gate: Bounded, first: Bounded, second: Bounded) -> Bounded:
        """(1 - gate) · first + gate · second."""
        left = add(ONE, gate, self.node.bounds, -1)
        return self.plus(self.times(left, first), self.times(gate, second))


def _rnn(layer: Layer, x: Bounded, state: State) -> State:
    h = layer.plus(layer.plus(x, product(state[0], layer.r, layer.node.bounds)), layer.state_bias)
    return [layer.apply(0, h)]


def _gru(layer: Layer, x: Bounded, state: State) -> State:
    h = state[0]
    before = bool(layer.node.attribute("linear_before_reset", 0))
    shared = layer.plus(product(h, layer.r, layer.node.bounds), layer.state_bias)
    update, reset = (layer.apply(0, layer.plus(layer.gate(x, at), layer.gate(shared, at))) for at in (0, 1))
    if before:
        inner = layer.times(reset, layer.gate(shared, 2))
    else:
        own = product(layer.times(reset, h), layer.gate(layer.r, 2), layer.node.bounds)
        inner = layer.plus(own, layer.gate(layer.state_bias, 2))
    made = layer.apply(1, layer.plus(layer.gate(x, 2), inner))
    return [layer.mixed(update, made, h)]


def _lstm(layer: Layer, x: Bounded, state: State) -> State:
    h, c = state
    shared = layer.plus(layer.plus(x, product(h, layer.r, layer.node.bounds)), layer.state_bias)

    def peeped(gate: int, peephole: int, cell: Bounded) -> Bounded:
        own = layer.gate(shared, gate)
        if layer.peepholes is None:
            return own
        return layer.plus(own, layer.times(layer.gate(layer.peepholes, peephole), cell))

    enter, forget = layer.apply(0, peeped(0, 0, c)), layer.apply(0, peeped(2, 2, c))
    made = layer.apply(1, layer.gate(shared, 3))
    cell = layer.plus(layer.times(forget, c), layer.times(enter, made))
    leave = layer.apply(0, peeped(1, 1, cell))
    return [layer.times(leave, layer.apply(2, cell)), cell]


STEPS = {"GRU": _gru, "LSTM": _lstm, "RNN": _rnn}


@operator("GRU", "LSTM", "RNN")
def recurrent(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """``Y`` (T, D, N, H), ``Y_h`` and ``Y_c`` of ``X`` (T, N, I)."""
    if node.attribute("clip") is not None or node.attribute("input_forget", 0):
        raise NotEvaluatedError(f"{node.operator} with clip or input_forget")
    roles = ("X", "W", "R", "B", "lengths", "initial_h", "initial_c", "P")
    held: Dict[str, Optional[Bounded]] = {role: given(inputs, at) for at, role in enumerate(roles)}
    x, r = required(inputs), required(inputs, 2)
    lengths = held["lengths"]
    if lengths is not None and not (lengths.value == x.value.shape[0]).all():
        raise NotEvaluatedError(f"{node.operator} of sequences of several lengths")
    ways, batch, hidden = r.value.shape[0], x.value.shape[1], r.value.shape[2]
    states = ("initial_h", "initial_c") if node.operator == "LSTM" else ("initial_h",)
    outputs: List[List[Bounded]] = []
    finals: List[State] = []
    for way in range(ways):
        layer = _layer(node, held, way, hidden)
        begin = [_initial(held[role], way, (batch, hidden)) for role in states]
        backwards = way == 1 or node.attribute("direction", "forward") == "reverse"
        made, last = _run(layer, x, begin, backwards)
        outputs.append(made)
        finals.append(last)
    y = _stacked([_stacked(list(each)) for each in zip(*outputs)])
    return [y, *(_stacked([last[at] for last in finals]) for at in range(len(states)))][: node.outputs]


def _run(layer: Layer, x: Bounded, state: State, backwards: bool) -> Tuple[List[Bounded], State]:
    shares = layer.plus(product(x, layer.w, layer.node.bounds), layer.input_bias)
    steps = range(x.value.shape[0])
    made: List[Bounded] = []
    for position in reversed(steps) if backwards else steps:
        share = shares.moved(lambda array, at=position: array[at])  # type: ignore[misc]
        state = STEPS[layer.node.operator](layer, share, state)
        made.append(state[0])
    return made[::-1] if backwards else made, state


def _layer(node: Node, held: Dict[str, Optional[Bounded]], way: int, hidden: int) -> Layer:
    names = [name.decode().lower() for name in node.attribute("activations") or []]
    names = names or [name.lower() for name in DEFAULTS[node.operator]] * (way + 1)
    each = len(DEFAULTS[node.operator])
    if any(name not in FUNCTIONS for name in names):
        raise NotEvaluatedError(f"{node.operator} with activations {', '.join(names)}")
    size = GATES[node.operator] * hidden

    def own(role: str) -> Optional[Bounded]:
        tensor = held[role]
        return None if tensor is None else tensor.moved(lambda array: array[way])

    w, r, b = own("W"), own("R"), own("B") or Bounded(np.zeros(2 * size))
    assert w is not None and r is not None
    first, second = (b.moved(lambda array, at=at: array[at : at + size]) for at in (0, size))  # type: ignore[misc]
    functions = names[way * each : (way + 1) * each]
    return Layer(node, w.moved(np.transpose), r.moved(np.transpose), first, second, functions, own("P"), hidden)


def _initial(held: Optional[Bounded], way: int, shape: Tuple[int, int]) -> Bounded:
    return Bounded(np.zeros(shape)) if held is None else held.moved(lambda array: array[way])


def _stacked(tensors: List[Bounded]) -> Bounded:
    value = np.stack([each.value for each in tensors])
    if all(each.error is None for each in tensors):
        return Bounded(value)
    bounds = [np.zeros(each.value.shape) if each.error is None else each.error for each in tensors]
    return Bounded(value, np.stack(bounds))
