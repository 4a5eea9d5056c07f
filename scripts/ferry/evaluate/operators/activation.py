"""Activations with parameters."""

from typing import Any, Callable, Dict, List, Optional

import numpy as np

from ferry.evaluate.bounded import Bounded, added, error_of, rounding, spread
from ferry.evaluate.registry import Node, given, operator, required

# ONNX's defaults.
SELU_ALPHA, SELU_GAMMA = 1.67326319217681884765625, 1.05070102214813232421875

Parametric = Callable[[np.ndarray, Callable[[str, float], Any]], np.ndarray]


def _elu(x: np.ndarray, alpha: float) -> np.ndarray:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def _celu(x: np.ndarray, read: Callable[[str, float], Any]) -> np.ndarray:
    alpha = read("alpha", 1.0)
    return np.maximum(x, 0) + np.minimum(alpha * np.expm1(np.minimum(x, 0) / alpha), 0)


FUNCTIONS: Dict[str, Parametric] = {
    "Celu": _celu,
    "Elu": lambda x, read: _elu(x, read("alpha", 1.0)),
    "HardSigmoid": lambda x, read: np.clip(read("alpha", 0.2) * x + read("beta", 0.5), 0, 1),
    "LeakyRelu": lambda x, read: np.where(x < 0, read("alpha", 0.01) * x, x),
    "Selu": lambda x, read: read("gamma", SELU_GAMMA) * _elu(x, read("alpha", SELU_ALPHA)),
    "ThresholdedRelu": lambda x, read: np.where(x > read("alpha", 1.0), x, 0.0),
}
# exp(x) - 1, where a runtime computes it so, is off by units of 1.
ABSOLUTE = {"Celu": 8.0, "Elu": 8.0, "HardSigmoid": 8.0, "Selu": 16.0}


@operator(*FUNCTIONS)
def activation(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """An activation of each element alone."""
    x = required(inputs)

    def function(array: np.ndarray) -> np.ndarray:
        return FUNCTIONS[node.operator](array, node.attribute)

    value = function(x.value)
    if not node.bounds:
        return [Bounded(value)]
    absolute = ABSOLUTE.get(node.operator, 0.0) * max(1.0, abs(node.attribute("alpha", 1.0)))
    return [Bounded(value, added(spread(function, x, value), rounding(value, 8, absolute)))]


@operator("PRelu")
def prelu(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """A slope of its own below zero; before opset 9 too it broadcasts from the last dimension."""
    x, slope = required(inputs), required(inputs, 1)
    value = np.where(x.value < 0, slope.value * x.value, x.value)
    if not node.bounds:
        return [Bounded(value)]
    error = rounding(value, 4) + np.maximum(1, np.abs(slope.value)) * error_of(x)
    return [Bounded(value, error + np.abs(np.minimum(x.value, 0)) * error_of(slope))]


@operator("Clip")
def clip(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """Between two limits, attributes before opset 11 and inputs since."""
    x = required(inputs)
    if node.opset < 11:
        low, high = node.attribute("min", -np.inf), node.attribute("max", np.inf)
    else:
        ends = [given(inputs, 1), given(inputs, 2)]
        low, high = (default if end is None else end.value for end, default in zip(ends, (-np.inf, np.inf)))

    def function(array: np.ndarray) -> np.ndarray:
        made = array if np.all(low == -np.inf) else np.maximum(array, low)
        return (made if np.all(high == np.inf) else np.minimum(made, high)).astype(x.value.dtype)

    value = function(x.value)
    return [Bounded(value, spread(function, x, value))]
