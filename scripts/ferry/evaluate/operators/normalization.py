"""Normalisations, and the softmaxes."""

from typing import List, Optional, Tuple

import numpy as np

from ferry.evaluate.bounded import OTHER_FORMS, UNIT, Bounded, error_of, gamma, largest_magnitude, rounding
from ferry.evaluate.operators.reduction import mean
from ferry.evaluate.registry import Node, operator, required


@operator("BatchNormalization")
def batch_normalization(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """A factor and a shift a channel, however they are put together."""
    x = required(inputs)
    shape = [-1, *[1] * (x.value.ndim - 2)]
    scale, shift, centre, variance = (required(inputs, position).value.reshape(shape) for position in range(1, 5))
    factor = scale / np.sqrt(variance + node.attribute("epsilon", 1e-5))
    value = x.value * factor + (shift - centre * factor)
    if not node.bounds:
        return [Bounded(value)]
    # (x - m) f + b and x f + (b - m f) round by these magnitudes.
    size = (largest_magnitude(x) + np.abs(centre)) * np.abs(factor) + np.abs(shift)
    error = gamma(2 + 2 * OTHER_FORMS) * size
    return [Bounded(value, error + np.abs(factor) * error_of(x))]


def normalised(x: Bounded, axes: Tuple[int, ...], epsilon: float, bounds: bool) -> Bounded:
    """(x - mean) / sqrt(variance + epsilon), the variance by a second pass over what was centred."""
    middle = mean(x, axes, True, bounds)
    centred = x.value - middle.value
    variance = np.square(centred).mean(axes, keepdims=True)
    factor = 1 / np.sqrt(variance + epsilon)
    value = centred * factor
    if not bounds:
        return Bounded(value)
    count = float(np.prod([x.value.shape[axis] for axis in axes]))
    off = error_of(x) + error_of(middle) + 2 * UNIT * (largest_magnitude(x) + np.abs(middle.value))
    squares = np.mean(2 * np.abs(centred) * off + off * off, axes, keepdims=True)
    variance_off = squares + gamma(count + OTHER_FORMS) * variance
    # The factor as a function of the variance falls throughout, and the variance is never below zero.
    lowest = np.maximum(variance - variance_off, 0) + epsilon
    factor_off = np.abs(1 / np.sqrt(lowest) - factor) + rounding(factor, 8)
    error = off * (factor + factor_off) + np.abs(centred) * factor_off + rounding(value, 2)
    return Bounded(value, error)


@operator("InstanceNormalization")
def instance_normalization(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """Each channel of each example by its own mean and variance."""
    x = required(inputs)
    shape = [-1, *[1] * (x.value.ndim - 2)]
    scale, shift = (required(inputs, position).value.reshape(shape) for position in (1, 2))
    made = normalised(x, tuple(range(2, x.value.ndim)), node.attribute("epsilon", 1e-5), node.bounds)
    value = made.value * scale + shift
    if made.error is None:
        return [Bounded(value)]
    return [Bounded(value, made.error * np.abs(scale) + 4 * UNIT * (np.abs(made.value * scale) + np.abs(shift)))]


@operator("MeanVarianceNormalization")
def mean_variance_normalization(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """The same over given axes, without parameters."""
    x = required(inputs)
    return [normalised(x, tuple(node.attribute("axes") or (0, 2, 3)), 1e-9, node.bounds)]


@operator("LpNormalization")
def lp_normalization(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """Over the sum of the magnitudes along ``axis``, or the root of that of the squares."""
    x, axis, order = required(inputs), node.attribute("axis", -1), node.attribute("p", 2)
    length = np.linalg.norm(x.value, order, axis, keepdims=True)
    value = x.value / length
    if not node.bounds:
        return [Bounded(value)]
    relative = gamma(x.value.shape[axis] + 8)
    if x.error is None:
        return [Bounded(value, relative * np.abs(value))]
    off = np.linalg.norm(x.error, order, axis, keepdims=True)
    error = np.where(length > off, (x.error + np.abs(value) * off) / np.maximum(length - off, 1e-300), np.inf)
    return [Bounded(value, error + relative * np.abs(value))]


@operator("LRN")
def lrn(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """Each element by the squares of the channels beside it."""
    x, size = required(inputs), node.attribute("size")
    before, after = (size - 1) // 2, size - 1 - (size - 1) // 2
    widths = [(0, 0), (before, after), *[(0, 0)] * (x.value.ndim - 2)]
    squares = np.pad(np.square(x.value), widths)
    channels = x.value.shape[1]
    total = np.asarray(sum(squares[:, at : at + channels] for at in range(size)))
    base = node.attribute("bias", 1.0) + node.attribute("alpha", 1e-4) / size * total
    power = node.attribute("beta", 0.75)
    value = x.value / base**power
    if not node.bounds:
        return [Bounded(value)]
    relative = gamma((size + 4) * power + 4 * power * np.abs(np.log(base)).max(initial=0.0) + 16)
    if x.error is None:
        return [Bounded(value, relative * np.abs(value))]
    return [Bounded(value, np.full(value.shape, np.inf))]


def _rows(node: Node, x: np.ndarray) -> np.ndarray:
    """Up to opset 12 a softmax is over all dimensions from ``axis`` on."""
    axis = node.attribute("axis", 1)
    axis = axis if axis >= 0 else x.ndim + axis
    return x.reshape(int(np.prod(x.shape[:axis], dtype=np.int64)), -1)


@operator("Softmax", "LogSoftmax")
def softmax(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """exp(x) over its sum, or the logarithm of that."""
    x = required(inputs)
    rows = _rows(node, x.value)
    below = rows - rows.max(1, keepdims=True)
    powers = np.exp(below)
    total = powers.sum(1, keepdims=True)
    log = node.operator == "LogSoftmax"
    value = below - np.log(total) if log else powers / total
    if not node.bounds:
        return [Bounded(value.reshape(x.value.shape))]
    count = rows.shape[1]
    # exp takes the rounding of its argument for a share of its value.
    share = gamma(count + 16) + 4 * UNIT * (np.abs(np.where(np.isfinite(below), below, 0)) + 1)
    if x.error is not None:
        off = _rows(node, x.error).max(1, keepdims=True)
        share = share + np.expm1(np.minimum(2 * off, 100.0))
    # The sum's own share is that of its large terms.
    share = share + (share * value).max(1, keepdims=True) if not log else share + gamma(8)
    error = share if log else share * value
    error = error + rounding(value, 4)
    return [Bounded(value.reshape(x.value.shape), error.reshape(x.value.shape))]


@operator("Hardmax")
def hardmax(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """A one at the largest, the first of equal ones."""
    x = required(inputs)
    rows = _rows(node, x.value)
    value = np.zeros(rows.shape)
    value[np.arange(len(rows)), rows.argmax(1)] = 1.0
    error = None if x.error is None else np.ones(x.value.shape)
    return [Bounded(value.reshape(x.value.shape), error)]
