"""Pools, tap by tap."""

from typing import List, Optional, Tuple

import numpy as np

from ferry.evaluate.bounded import Bounded, gamma, largest_magnitude, rounding
from ferry.evaluate.operators.convolution import Window, window_of
from ferry.evaluate.operators.reduction import mean
from ferry.evaluate.registry import Node, NotEvaluatedError, operator, required


def _outputs(node: Node, window: Window, spatial: Tuple[int, ...]) -> Tuple[int, ...]:
    """The output's spatial shape: with ``ceil_mode`` a window may hang over the end, as long as it begins within."""
    if not node.attribute("ceil_mode", 0):
        return window.output(spatial)
    rank, found = len(spatial), []
    for at, size in enumerate(spatial):
        stride = window.strides[at]
        padded = size + window.pads[at] + window.pads[at + rank]
        count = -(-(padded - window.extent()[at]) // stride) + 1
        if (count - 1) * stride >= size + window.pads[at]:
            count -= 1
        found.append(count)
    return tuple(found)


def _padded(array: np.ndarray, window: Window, out: Tuple[int, ...], filler: float) -> np.ndarray:
    widths, rank = window.widths(), len(out)
    for at in range(rank):
        reach = (out[at] - 1) * window.strides[at] + window.extent()[at]
        low, high = widths[2 + at]
        widths[2 + at] = (low, max(high, reach - array.shape[2 + at] - low))
    return np.pad(array, widths, constant_values=filler)


@operator("MaxPool")
def max_pool(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """The largest under each window: it is off by no more than the element that is off most."""
    x = required(inputs)
    if node.outputs > 1 and node.proto.output[1]:
        raise NotEvaluatedError("the indices of MaxPool")
    window = window_of(node, x.value.shape[2:], tuple(node.attribute("kernel_shape")))
    out = _outputs(node, window, x.value.shape[2:])

    def pooled(array: np.ndarray, filler: float) -> np.ndarray:
        padded = _padded(array, window, out, filler)
        made: Optional[np.ndarray] = None
        for _, cuts in window.taps(out):
            seen = padded[(slice(None), slice(None), *cuts)]
            made = np.array(seen) if made is None else np.maximum(made, seen, out=made)
        assert made is not None
        return made

    lowest = -np.inf if x.is_float else float(np.iinfo(x.value.dtype).min)
    return [Bounded(pooled(x.value, lowest), None if x.error is None else pooled(x.error, 0.0))]


@operator("AveragePool")
def average_pool(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """The mean under each window, of which the pads are a part only where ``count_include_pad`` is set."""
    x = required(inputs)
    window = window_of(node, x.value.shape[2:], tuple(node.attribute("kernel_shape")))
    out = _outputs(node, window, x.value.shape[2:])

    def summed(padded: np.ndarray) -> np.ndarray:
        return np.asarray(sum(padded[(slice(None), slice(None), *cuts)] for _, cuts in window.taps(out)))

    ones = np.ones((1, 1, *x.value.shape[2:]))
    if node.attribute("count_include_pad", 0):
        # What hangs over the pads themselves counts nothing.
        ones = np.pad(ones, window.widths(), constant_values=1.0)
        counts = summed(_padded(ones, window._replace(pads=(0,) * len(window.pads)), out, 0.0))
    else:
        counts = summed(_padded(ones, window, out, 0.0))
    value = summed(_padded(x.value, window, out, 0.0)) / counts
    if not node.bounds:
        return [Bounded(value)]
    size = largest_magnitude(x)
    terms = summed(_padded((size != 0).astype(np.float64), window, out, 0.0))
    error = gamma(terms + 4) * summed(_padded(size, window, out, 0.0)) / counts + rounding(value, 2)
    if x.error is not None:
        error += summed(_padded(x.error, window, out, 0.0)) / counts
    return [Bounded(value, error)]


@operator("GlobalAveragePool")
def global_average_pool(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """The mean of each channel."""
    x = required(inputs)
    return [mean(x, tuple(range(2, x.value.ndim)), True, node.bounds)]


@operator("GlobalMaxPool")
def global_max_pool(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """The largest of each channel."""
    x = required(inputs)
    axes = tuple(range(2, x.value.ndim))
    return [x.moved(lambda array: array.max(axes, keepdims=True))]
