"""Resize since opset 13: sizes or scales of some axes only, aspect ratios, a symmetric centre, and antialiasing."""

from typing import Dict, List, Tuple

import numpy as np

from ferry.graph.newer_opsets.antialias_filter import COORDINATES, weights
from ferry.graph.newer_opsets.call import Call
from ferry.graph.newer_opsets.registry import lowers

_OPSET_12 = (
    "coordinate_transformation_mode",
    "cubic_coeff_a",
    "exclude_outside",
    "extrapolation_value",
    "mode",
    "nearest_mode",
)


@lowers("Resize", since=13)
def resize(call: Call) -> None:
    """The form of opset 11: scales or sizes of all axes, and a region where the mode has one."""
    graph = call.graph
    attributes = {name: call.attributes[name] for name in _OPSET_12 if name in call.attributes}
    some = "axes" in call.attributes or call.get("keep_aspect_ratio_policy", "stretch") != "stretch"
    symmetric = attributes.get("coordinate_transformation_mode") == "half_pixel_symmetric"
    if symmetric or some or call.get("antialias", 0):
        _resize_known(call, attributes, symmetric)
        return
    empty = graph.constant(np.zeros(0, np.float32))
    region = call.input(1) if call.has(1) else empty
    if call.has(3):
        graph.op("Resize", [call.input(0), region, empty, call.input(3)], call.outputs, **attributes)
    else:
        graph.op("Resize", [call.input(0), region, call.input(2)], call.outputs, **attributes)


def _resize_known(call: Call, attributes: Dict, symmetric: bool) -> None:
    graph, shape = call.graph, call.shape()
    axes = [call.checked_axis(axis, len(shape)) for axis in call.get("axes", range(len(shape)))]
    sizes, scales = _sizes_and_scales(call, shape, axes)
    if symmetric:
        if any(int(scale * size) != scale * size for scale, size in zip(scales, shape)):
            raise call.refuse("half_pixel_symmetric differs from half_pixel where a size times its scale is not whole")
        attributes["coordinate_transformation_mode"] = "half_pixel"
    if min(sizes) < 1:
        raise call.refuse(f"it makes a tensor of the shape {sizes}")
    region = _region(call, axes, len(shape))
    if call.get("antialias", 0):
        _antialias(call, attributes, sizes, scales)
        return
    empty = graph.constant(np.zeros(0, np.float32))
    if call.has(3):
        inputs = [call.input(0), region or empty, empty, graph.constant(sizes, np.int64)]
    else:
        inputs = [call.input(0), region or empty, graph.constant(scales, np.float32)]
    graph.op("Resize", inputs, call.outputs, **attributes)


def _sizes_and_scales(call: Call, shape: Tuple[int, ...], axes: List[int]) -> Tuple[List[int], List[float]]:
    """Of all axes: what the result's sizes are, and by how much each grows."""
    scales = [1.0] * len(shape)
    sizes = list(shape)
    if not call.has(3):
        for axis, scale in zip(axes, call.value(2, "scales").reshape(-1)):
            scales[axis] = float(scale)
            sizes[axis] = int(np.floor(shape[axis] * scales[axis]))
        return sizes, scales
    wanted = dict(zip(axes, call.integers(3, "sizes")))
    policy = call.get("keep_aspect_ratio_policy", "stretch")
    if policy != "stretch":
        choose = min if policy == "not_larger" else max
        scale = choose(size / shape[axis] for axis, size in wanted.items())
        wanted = {axis: int(np.floor(scale * shape[axis] + 0.5)) for axis in wanted}
    for axis, size in wanted.items():
        sizes[axis], scales[axis] = size, size / shape[axis]
        if policy != "stretch":
            scales[axis] = scale
    return sizes, scales


def _region(call: Call, axes: List[int], rank: int) -> str:
    if call.get("coordinate_transformation_mode") != "tf_crop_and_resize" or not call.has(1):
        return ""
    given = call.value(1, "bounds").reshape(2, -1)
    region = np.array([[0.0] * rank, [1.0] * rank], np.float32)
    region[:, axes] = given
    return call.graph.constant(region.reshape(-1))


def _antialias(call: Call, attributes: Dict, sizes: List[int], scales: List[float]) -> None:
    """Each axis that shrinks is multiplied by the matrix of its filter's weights."""
    graph, x, shape = call.graph, call.input(0), call.shape()
    mode = attributes.get("coordinate_transformation_mode", "half_pixel")
    kind = attributes.get("mode", "nearest")
    if kind not in ("linear", "cubic") or mode not in COORDINATES:
        raise call.refuse(f"antialiasing of mode {kind!r} with coordinates {mode!r}")
    rank = len(shape)
    for axis in (axis for axis in range(rank) if sizes[axis] != shape[axis] or scales[axis] != 1):
        matrix = weights(shape[axis], sizes[axis], scales[axis], attributes)
        order = [each for each in range(rank) if each != axis] + [axis]
        if axis == rank - 2:
            # What multiplies from the left needs no transpose.
            x = graph.op("MatMul", [graph.constant(matrix.astype(np.float32)), x])
        elif axis == rank - 1:
            x = graph.op("MatMul", [x, graph.constant(matrix.T.astype(np.float32))])
        else:
            turned = graph.op("Transpose", [x], perm=order)
            made = graph.op("MatMul", [turned, graph.constant(matrix.T.astype(np.float32))])
            x = graph.op("Transpose", [made], perm=[int(each) for each in np.argsort(order)])
    graph.op("Identity", [x], call.outputs)
