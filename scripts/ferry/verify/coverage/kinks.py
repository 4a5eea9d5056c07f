"""Where an activation bends, and where it is flat."""

from typing import Callable, Dict, List, NamedTuple, Optional

import numpy as np
import onnx

from ferry.graph.attributes import attribute
from ferry.verify.coverage.observed import Extremes

# Beyond them the slope is below 1.3e-4: what comes in hardly counts any more.
FLAT_SIGMOID, FLAT_TANH = 9.0, 5.2
# A limit that is none: what exporters write where a clamp has one end alone.
NO_LIMIT = 3e38


class Shape(NamedTuple):
    """An activation as a function of its argument: its ``kinks``, and from where on it is flat, if it is."""

    kinks: List[float]
    flat_below: float = -np.inf
    flat_above: float = np.inf

    def dead(self, seen: Extremes) -> np.ndarray:
        """The channels that were never above the flat part at the lower end."""
        return np.asarray(seen.highest <= self.flat_below)

    def saturated(self, seen: Extremes) -> np.ndarray:
        """The channels that were never below the flat part at the upper end."""
        return np.asarray(seen.lowest >= self.flat_above)


Constant = Callable[[str], Optional[np.ndarray]]

BENT_AT_ZERO = {"Abs", "Celu", "Elu", "LeakyRelu", "PRelu", "Selu"}


def shape_of(node: onnx.NodeProto, constant: Constant) -> Optional[Shape]:
    """The shape of the activation ``node`` in its first operand; ``None`` where it is none.

    ``constant`` gives the value of a tensor that does not depend on the inputs, or ``None``.
    """
    kind = node.op_type
    if kind in BENT_AT_ZERO:
        return Shape([0.0])
    if kind == "Where":
        return Shape([0.5])
    if kind in SHAPES:
        return SHAPES[kind](node)
    return _clip(node, constant) if kind == "Clip" else None


def _threshold(node: onnx.NodeProto) -> Shape:
    alpha = float(attribute(node, "alpha", 1.0))
    return Shape([alpha], flat_below=alpha)


def _hard_sigmoid(node: onnx.NodeProto) -> Shape:
    alpha, beta = float(attribute(node, "alpha", 0.2)), float(attribute(node, "beta", 0.5))
    low, high = -beta / alpha, (1 - beta) / alpha
    return Shape([low, high], low, high)


SHAPES: Dict[str, Callable[[onnx.NodeProto], Shape]] = {
    "HardSigmoid": _hard_sigmoid,
    "Relu": lambda node: Shape([0.0], flat_below=0.0),
    "Sigmoid": lambda node: Shape([], -FLAT_SIGMOID, FLAT_SIGMOID),
    "Tanh": lambda node: Shape([], -FLAT_TANH, FLAT_TANH),
    "ThresholdedRelu": _threshold,
}


def _clip(node: onnx.NodeProto, constant: Constant) -> Shape:
    limits = []
    for position, name in ((1, "min"), (2, "max")):
        found = attribute(node, name)
        if len(node.input) > position and node.input[position]:
            array = constant(node.input[position])
            found = None if array is None or array.size != 1 else float(array.ravel()[0])
        limits.append(found if found is not None and abs(found) < NO_LIMIT else None)
    low, high = limits
    return Shape(
        [float(each) for each in limits if each is not None],
        -np.inf if low is None else float(low),
        np.inf if high is None else float(high),
    )
