"""Resizing, a dimension after another: each is a product with a matrix of taps."""

from typing import List, NamedTuple, Optional, Tuple

import numpy as np

from ferry.evaluate.bounded import OTHER_FORMS, UNIT, Bounded, error_of, gamma, largest_magnitude
from ferry.evaluate.registry import Node, NotEvaluatedError, given, operator, required


class Form(NamedTuple):
    """How an axis is resized: ONNX's attributes, and the region of interest of ``tf_crop_and_resize``."""

    mode: str
    coordinates: str
    nearest: str
    cubic: float
    exclude: bool
    region: Tuple[float, float]
    outside: float


@operator("Resize", "Upsample")
def resize(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """By scales or to sizes; ``Upsample`` and the ``Resize`` of opset 10 divide the index by the scale."""
    x, old = required(inputs), node.operator == "Upsample" or node.opset < 11
    scales, sizes = _asked(node, inputs, old)
    region = given(inputs, 1) if not old else None
    made = x
    for axis, (scale, size) in enumerate(zip(scales, sizes)):
        rank = len(scales)
        whole = region is None or region.value.size != 2 * rank
        ends = (0.0, 1.0) if whole or region is None else tuple(map(float, region.value[[axis, axis + rank]]))
        form = _form(node, old, (ends[0], ends[1]))
        if size == x.value.shape[axis] and scale == 1 and form.coordinates != "tf_crop_and_resize":
            continue
        made = _along(made, axis, size, scale, form, node.bounds)
    return [made]


def _asked(node: Node, inputs: List[Optional[Bounded]], old: bool) -> Tuple[List[float], List[int]]:
    shape = required(inputs).value.shape
    wanted = None if old else given(inputs, 3)
    if wanted is not None and wanted.value.size:
        sizes = [int(each) for each in wanted.value]
        return [size / before for size, before in zip(sizes, shape)], sizes
    held = required(inputs, 1 if old else 2).value if node.attribute("scales") is None else node.attribute("scales")
    scales = [float(each) for each in held]
    return scales, [int(np.floor(before * scale + 1e-9)) for before, scale in zip(shape, scales)]


def _form(node: Node, old: bool, region: Tuple[float, float]) -> Form:
    return Form(
        node.attribute("mode", "nearest"),
        "asymmetric" if old else node.attribute("coordinate_transformation_mode", "half_pixel"),
        "floor" if old else node.attribute("nearest_mode", "round_prefer_floor"),
        node.attribute("cubic_coeff_a", -0.75),
        bool(node.attribute("exclude_outside", 0)),
        region,
        node.attribute("extrapolation_value", 0.0),
    )


def _positions(size: int, before: int, scale: float, form: Form) -> np.ndarray:
    index = np.arange(size, dtype=np.float64)
    kind = form.coordinates
    if kind == "asymmetric":
        return index / scale
    if kind == "align_corners":
        return index * (before - 1) / max(size - 1, 1)
    if kind == "pytorch_half_pixel" and size == 1:
        return np.zeros(1)
    if kind in ("half_pixel", "pytorch_half_pixel"):
        return (index + 0.5) / scale - 0.5
    if kind == "tf_half_pixel_for_nn":
        return (index + 0.5) / scale
    if kind == "tf_crop_and_resize":
        start, end = form.region
        if size == 1:
            return np.array([0.5 * (start + end) * (before - 1)])
        return start * (before - 1) + index * (end - start) * (before - 1) / (size - 1)
    raise NotEvaluatedError(f"Resize with coordinates {kind}")


def _along(x: Bounded, axis: int, size: int, scale: float, form: Form, bounds: bool) -> Bounded:
    before = x.value.shape[axis]
    positions = _positions(size, before, scale, form)
    if form.mode == "nearest":
        made = _nearest(x, axis, positions, form, bounds)
    else:
        taps = _taps(positions, before, form)

        def applied(array: np.ndarray) -> np.ndarray:
            return np.moveaxis(np.tensordot(taps if array is not size_ else np.abs(taps), array, (1, axis)), 0, axis)

        size_ = largest_magnitude(x)
        made = Bounded(applied(x.value))
        if bounds:
            # A place in float32 is off by its rounding, and a tap by as much.
            shape = [-1 if at == axis else 1 for at in range(x.value.ndim)]
            places = (4 * UNIT * (np.abs(positions) + 1)).reshape(shape)
            reach = np.moveaxis(np.tensordot((np.abs(taps) > 0) * 1.0, size_, (1, axis)), 0, axis)
            beside = _reach(size_, axis, positions, before)
            error = gamma(np.count_nonzero(taps, 1).max() + OTHER_FORMS) * applied(size_)
            error = error + places * np.maximum(reach, beside) * 2
            propagated = 0.0 if x.error is None else np.moveaxis(
                np.tensordot(np.abs(taps), x.error, (1, axis)), 0, axis
            )  # fmt: skip
            made = Bounded(made.value, error + propagated)
    if form.coordinates != "tf_crop_and_resize":
        return made
    outside = (positions < 0) | (positions > before - 1)
    where = outside.reshape([-1 if at == axis else 1 for at in range(x.value.ndim)])
    error = None if made.error is None else np.where(where, 0.0, made.error)
    return Bounded(np.where(where, form.outside, made.value), error)


def _reach(size: np.ndarray, axis: int, positions: np.ndarray, before: int) -> np.ndarray:
    """The magnitudes on both sides of each position."""
    low = np.clip(np.floor(positions - 1e-3).astype(int), 0, before - 1)
    high = np.clip(np.ceil(positions + 1e-3).astype(int), 0, before - 1)
    return np.take(size, low, axis) + np.take(size, high, axis)


def _rounded(positions: np.ndarray, how: str) -> np.ndarray:
    if how == "round_prefer_floor":
        return np.ceil(positions - 0.5)
    if how == "round_prefer_ceil":
        return np.floor(positions + 0.5)
    return np.floor(positions) if how == "floor" else np.ceil(positions)


def _nearest(x: Bounded, axis: int, positions: np.ndarray, form: Form, bounds: bool) -> Bounded:
    before = x.value.shape[axis]

    def index(offset: np.ndarray) -> np.ndarray:
        return np.clip(_rounded(positions + offset, form.nearest), 0, before - 1).astype(np.int64)

    # A quotient that is a whole number in exact arithmetic must not fall below it here.
    nearby = 1e-9 * (1 + np.abs(positions))
    exact = np.round(positions * 2) / 2
    snapped = np.where(np.abs(positions - exact) < nearby, exact - positions, 0.0)
    made = x.moved(lambda array: np.take(array, index(snapped), axis))
    if not bounds:
        return made
    off = 4 * UNIT * (np.abs(positions) + 1)
    lower, upper = index(-off), index(off)
    # Where a place's rounding may take the next element a quotient that is exact does not.
    hangs = (lower != upper) & (snapped == 0) & (positions != exact)
    if not hangs.any():
        return made
    where = hangs.reshape([-1 if at == axis else 1 for at in range(x.value.ndim)])
    apart = np.abs(np.take(x.value, lower, axis) - np.take(x.value, upper, axis))
    return Bounded(made.value, np.where(where, apart, 0.0) + error_of(made))


def _taps(positions: np.ndarray, before: int, form: Form) -> np.ndarray:
    """A row a new place with the weights of the old ones."""
    if form.mode not in ("linear", "cubic"):
        raise NotEvaluatedError(f"Resize with mode {form.mode}")
    taps = np.zeros((len(positions), before))
    base = np.floor(positions).astype(np.int64)
    share = positions - base
    rows = np.arange(len(positions))
    if form.mode == "linear":
        weights = [(0, 1 - share), (1, share)]
    else:
        a = form.cubic
        weights = [
            (-1, ((a * (share + 1) - 5 * a) * (share + 1) + 8 * a) * (share + 1) - 4 * a),
            (0, ((a + 2) * share - (a + 3)) * share * share + 1),
            (1, ((a + 2) * (1 - share) - (a + 3)) * (1 - share) * (1 - share) + 1),
            (2, ((a * (2 - share) - 5 * a) * (2 - share) + 8 * a) * (2 - share) - 4 * a),
        ]
    for offset, weight in weights:
        column = base + offset
        inside = (column >= 0) & (column < before)
        kept = np.where(inside, weight, 0.0) if form.exclude and form.mode == "cubic" else weight
        np.add.at(taps, (rows, np.clip(column, 0, before - 1)), kept)
    return taps / taps.sum(1, keepdims=True) if form.exclude and form.mode == "cubic" else taps
