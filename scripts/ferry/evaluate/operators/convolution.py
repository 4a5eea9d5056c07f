"""Convolutions, tap by tap of the kernel: each tap is one product of matrices, or of a channel with a number."""

import itertools
from typing import Callable, List, NamedTuple, Optional, Tuple

import numpy as np

from ferry.evaluate.bounded import OTHER_FORMS, Bounded, gamma, largest_magnitude
from ferry.evaluate.operators.matrix import biased
from ferry.evaluate.registry import Node, given, operator, required

# Counting which of so few terms are zero takes as long as adding them.
FEW_TERMS = 32
# More than a sum of magnitudes in float32 is off by.
ROUNDED_UP = 1.001


class Window(NamedTuple):
    """How a kernel lies on the spatial dimensions. ``pads`` are those before, then those after."""

    kernel: Tuple[int, ...]
    strides: Tuple[int, ...]
    dilations: Tuple[int, ...]
    pads: Tuple[int, ...]

    def taps(self, out: Tuple[int, ...]) -> List[Tuple[Tuple[int, ...], Tuple[slice, ...]]]:
        """Each place in the kernel, and what of the padded input it meets for an output of ``out``."""
        found = []
        for place in itertools.product(*(range(size) for size in self.kernel)):
            starts = [at * step for at, step in zip(place, self.dilations)]
            cuts = tuple(
                slice(start, start + (count - 1) * stride + 1, stride)
                for start, count, stride in zip(starts, out, self.strides)
            )
            found.append((place, cuts))
        return found

    def extent(self) -> List[int]:
        """The kernel's size with its dilations."""
        return [(size - 1) * step + 1 for size, step in zip(self.kernel, self.dilations)]

    def widths(self) -> List[Tuple[int, int]]:
        """The pads, as NumPy takes them, of batch and channels too."""
        rank = len(self.kernel)
        return [(0, 0), (0, 0), *zip(self.pads[:rank], self.pads[rank:])]

    def output(self, spatial: Tuple[int, ...]) -> Tuple[int, ...]:
        """The output's spatial shape."""
        rank = len(self.kernel)
        sizes = [size + self.pads[at] + self.pads[at + rank] for at, size in enumerate(spatial)]
        return tuple((size - need) // step + 1 for size, need, step in zip(sizes, self.extent(), self.strides))


def window_of(node: Node, spatial: Tuple[int, ...], kernel: Tuple[int, ...]) -> Window:
    """The window that the attributes of a convolution or a pool ask for."""
    rank = len(kernel)
    strides = tuple(node.attribute("strides") or [1] * rank)
    dilations = tuple(node.attribute("dilations") or [1] * rank)
    pads = tuple(node.attribute("pads") or [0] * 2 * rank)
    automatic = node.attribute("auto_pad", "NOTSET")
    window = Window(kernel, strides, dilations, pads)
    if automatic == "VALID":
        return window._replace(pads=(0,) * 2 * rank)
    if automatic in ("SAME_UPPER", "SAME_LOWER"):
        needs = [
            max((-(-size // step) - 1) * step + extent - size, 0)
            for size, step, extent in zip(spatial, strides, window.extent())
        ]
        half, more = [need // 2 for need in needs], [need - need // 2 for need in needs]
        window = window._replace(pads=tuple([*half, *more] if automatic == "SAME_UPPER" else [*more, *half]))
    return window


def convolve(x: np.ndarray, w: np.ndarray, window: Window, groups: int) -> np.ndarray:
    """``x`` (N, C, …) with ``w`` (M, C / groups, …)."""
    out = window.output(x.shape[2:])
    padded = np.pad(x, window.widths()) if any(window.pads) else x
    batch, makes = x.shape[0], w.shape[0]
    points = int(np.prod(out))
    made = np.zeros((batch, groups, makes // groups, points), np.result_type(x, w))
    weights = w.reshape(groups, makes // groups, *w.shape[1:])
    for place, cuts in window.taps(out):
        seen = padded[(slice(None), slice(None), *cuts)].reshape(batch, groups, -1, points)
        tap = weights[(slice(None), slice(None), slice(None), *place)]
        # One channel a group is a product of each element; NumPy's own for matrices is slow there.
        made += tap * seen if tap.shape[2] == 1 else np.matmul(tap, seen)
    return made.reshape(batch, makes, *out)


def _terms(x: np.ndarray, w: np.ndarray, window: Window, groups: int) -> np.ndarray:
    """How many elements that are not zero each output sees; of few all, whatever they are."""
    most = int(np.prod(w.shape[1:]))
    if most <= FEW_TERMS:
        return np.array([most])
    batch, channels = x.shape[:2]
    present = (x != 0).reshape(batch, groups, channels // groups, *x.shape[2:]).sum(2, dtype=np.float32)
    counted = convolve(present, np.ones((groups, 1, *window.kernel), np.float32), window, groups)
    return np.repeat(counted, w.shape[0] // groups, axis=1)


def _bound(first: np.ndarray, second: np.ndarray, function: Callable[..., np.ndarray], *options: object) -> np.ndarray:
    """A sum of products of magnitudes, no smaller than it is: a bound need not be exact, and float32 is fast."""
    return function(first.astype(np.float32), second.astype(np.float32), *options) * ROUNDED_UP


@operator("Conv")
def conv(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """A convolution with groups, strides, pads and dilations, in any number of dimensions."""
    x, w, groups = required(inputs), required(inputs, 1), node.attribute("group", 1)
    window = window_of(node, x.value.shape[2:], w.value.shape[2:])
    value = convolve(x.value, w.value, window, groups)
    made, terms = Bounded(value), np.zeros(1)
    if node.bounds:
        seen, weights = largest_magnitude(x), largest_magnitude(w)
        terms = _terms(seen, weights, window, groups)
        error = gamma(terms + OTHER_FORMS) * _bound(seen, weights, convolve, window, groups)
        if x.error is not None:
            error += _bound(x.error, weights, convolve, window, groups)
        if w.error is not None:
            error += _bound(seen, w.error, convolve, window, groups)
        made = Bounded(value, error)
    return [biased(made, given(inputs, 2), [-1, *[1] * len(window.kernel)], terms)]


class Scatter(NamedTuple):
    """A transposed convolution's window, and the shape that it writes into before the pads are cut off."""

    window: Window
    whole: Tuple[int, ...]
    out: Tuple[int, ...]


def _scatter_of(node: Node, spatial: Tuple[int, ...], kernel: Tuple[int, ...]) -> Scatter:
    rank = len(kernel)
    # ``auto_pad`` means another thing here, so that only the strides and dilations are read.
    window = Window(
        kernel,
        tuple(node.attribute("strides") or [1] * rank),
        tuple(node.attribute("dilations") or [1] * rank),
        tuple(node.attribute("pads") or [0] * 2 * rank),
    )
    extra = node.attribute("output_padding") or [0] * rank
    asked, automatic = node.attribute("output_shape"), node.attribute("auto_pad", "NOTSET")
    reach = [(size - 1) * step + need for size, step, need in zip(spatial, window.strides, window.extent())]
    if asked or automatic in ("SAME_UPPER", "SAME_LOWER"):
        wanted = asked or [size * step for size, step in zip(spatial, window.strides)]
        totals = [each + more - want for each, more, want in zip(reach, extra, wanted)]
        # Up to opset 10 the half that is rounded up comes first unless SAME_UPPER is set.
        small = [total // 2 for total in totals]
        large = [total - total // 2 for total in totals]
        pads = [*small, *large] if automatic == "SAME_UPPER" else [*large, *small]
        window = window._replace(pads=tuple(pads))
    elif automatic == "VALID":
        window = window._replace(pads=(0,) * 2 * rank)
    whole = tuple(each + more for each, more in zip(reach, extra))
    out = tuple(size - window.pads[at] - window.pads[at + rank] for at, size in enumerate(whole))
    return Scatter(window, whole, out)


def _deconvolve(x: np.ndarray, w: np.ndarray, scatter: Scatter, groups: int) -> np.ndarray:
    batch, channels, *spatial = x.shape
    makes = w.shape[1] * groups
    points = int(np.prod(spatial))
    seen = x.reshape(batch, groups, channels // groups, points)
    weights = w.reshape(groups, channels // groups, *w.shape[1:])
    made = np.zeros((batch, makes, *scatter.whole), np.result_type(x, w))
    for place, cuts in scatter.window.taps(tuple(spatial)):
        tap = weights[(slice(None), slice(None), slice(None), *place)].transpose(0, 2, 1)
        made[(slice(None), slice(None), *cuts)] += np.matmul(tap, seen).reshape(batch, makes, *spatial)
    rank = len(spatial)
    lows, highs = scatter.window.pads[:rank], scatter.window.pads[rank:]
    # A negative pad adds zeros.
    made = np.pad(made, [(0, 0), (0, 0), *((max(-low, 0), max(-high, 0)) for low, high in zip(lows, highs))])
    kept = [slice(max(low, 0), max(low, 0) + size) for low, size in zip(lows, scatter.out)]
    return made[(slice(None), slice(None), *kept)]


@operator("ConvTranspose")
def conv_transpose(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """A transposed convolution: each input element adds the kernel to the output."""
    x, w, groups = required(inputs), required(inputs, 1), node.attribute("group", 1)
    scatter = _scatter_of(node, x.value.shape[2:], w.value.shape[2:])
    value = _deconvolve(x.value, w.value, scatter, groups)
    made, terms = Bounded(value), np.zeros(1)
    if node.bounds:
        seen, weights = largest_magnitude(x), largest_magnitude(w)
        terms = _bound(seen != 0, np.ones(weights.shape), _deconvolve, scatter, groups)
        error = gamma(terms + OTHER_FORMS) * _bound(seen, weights, _deconvolve, scatter, groups)
        if x.error is not None:
            error += _bound(x.error, weights, _deconvolve, scatter, groups)
        made = Bounded(value, error)
    return [biased(made, given(inputs, 2), [-1, *[1] * len(scatter.window.kernel)], terms)]
