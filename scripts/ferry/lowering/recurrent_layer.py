"""What a node of ``LSTM``, ``GRU`` or ``RNN`` says, read once for every way to lower it."""

from typing import Callable, Dict, List, NamedTuple, Optional, Tuple, Union

import numpy as np
import tensorflow as tf

from ferry.lowering.declined import Declined
from ferry.lowering.node import Node
from ferry.lowering.tensors import Tensors

ACTIVATIONS: Dict[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "relu": tf.nn.relu,
    "sigmoid": tf.sigmoid,
    "tanh": tf.tanh,
}
DEFAULTS = {"GRU": ["sigmoid", "tanh"], "LSTM": ["sigmoid", "tanh", "tanh"], "RNN": ["tanh"]}
GATES = {"GRU": 3, "LSTM": 4, "RNN": 1}


class Direction(NamedTuple):
    """One direction's weights: ``w`` (gates · H, I), ``r`` (gates · H, H), the two biases (gates · H), functions."""

    w: np.ndarray
    r: np.ndarray
    input_bias: np.ndarray
    state_bias: np.ndarray
    functions: List[Callable[[tf.Tensor], tf.Tensor]]
    peepholes: Optional[np.ndarray]


class Layer(NamedTuple):
    """A node's layer: its input (T, N, I) and that one's shape, a ``Direction`` each way, and from where it starts.

    ``backwards`` says of each direction whether it begins at the last step. ``initial`` has the names of the tensors
    (D, N, H) by their roles, ``lengths`` that of the examples' lengths, where they are not all T.
    """

    x: tf.Tensor
    shape: Tuple[int, int, int]
    directions: List[Direction]
    backwards: List[bool]
    initial: Dict[str, str]
    lengths: Optional[str]

    @property
    def hidden(self) -> int:
        """The size of the state, H."""
        return int(self.directions[0].r.shape[1])


def read(node: Node, tensors: Tensors) -> Union[Layer, Declined]:
    """The layer of ``node``, whose weights are constants and whose input is of static shape."""
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
    return Layer(
        tensors[given["X"]],
        (shape[0], shape[1], shape[2]),
        directions,
        [position == 1 or node.attributes["direction"] == "reverse" for position in range(len(directions))],
        {
            role: given[role]
            for role in ("initial_h", "initial_c")
            if role in given and not _is_zero(given[role], tensors)
        },
        _lengths(given.get("sequence_lens"), tensors, shape[0]),
    )


def _is_zero(name: str, tensors: Tensors) -> bool:
    constant = tensors.constant(name)
    return constant is not None and not constant.any()


def _lengths(name: Optional[str], tensors: Tensors, steps: int) -> Optional[str]:
    constant = tensors.constant(name) if name else None
    return None if constant is not None and (constant == steps).all() else name


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
