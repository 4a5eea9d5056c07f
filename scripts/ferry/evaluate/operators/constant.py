"""Constants, shapes, and what is made from them."""

from typing import List, Optional

import numpy as np
import onnx
from onnx import numpy_helper

from ferry.evaluate.bounded import LARGEST, Bounded, rounding, spread
from ferry.evaluate.registry import Node, NotEvaluatedError, operator, required

FLOATS = (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE)


@operator("Constant")
def constant(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """A tensor in the graph itself."""
    held = node.attribute("value")
    if held is None:
        for name, dtype in (("value_float", "f8"), ("value_floats", "f8"), ("value_int", "i8"), ("value_ints", "i8")):
            if node.attribute(name) is not None:
                return [Bounded(np.array(node.attribute(name), dtype))]
        raise NotEvaluatedError("Constant of a sparse tensor or of text")
    return [Bounded(_wide(numpy_helper.to_array(held)))]


@operator("ConstantOfShape")
def constant_of_shape(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """One value throughout, 0 by default."""
    held = node.attribute("value")
    value = np.zeros(1) if held is None else _wide(numpy_helper.to_array(held))
    return [Bounded(np.full(required(inputs).value.astype(np.int64), value.ravel()[0], value.dtype))]


@operator("Shape", "Size")
def shape(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """The shape, or the number of elements."""
    x = required(inputs).value
    return [Bounded(np.array(x.shape if node.operator == "Shape" else x.size, np.int64))]


@operator("Range")
def range_(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """From a start to before a limit in steps."""
    start, limit, delta = (required(inputs, position).value.item() for position in range(3))
    count = max(int(np.ceil((limit - start) / delta)), 0)
    value = start + np.arange(count) * delta
    made = Bounded(value.astype(required(inputs).value.dtype))
    # Some runtimes add the step again and again.
    error = rounding(value, count + 2, abs(start) * count) if node.bounds and made.is_float else None
    return [made._replace(error=error)]


@operator("EyeLike")
def eye_like(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """Ones on a diagonal."""
    x = required(inputs).value
    kind = node.attribute("dtype")
    dtype = x.dtype if kind is None else _dtype(kind)
    return [Bounded(np.eye(*x.shape, k=node.attribute("k", 0), dtype=dtype))]


@operator("OneHot")
def one_hot(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """A one at each index, on an axis of its own."""
    indices, depth, values = (required(inputs, position) for position in range(3))
    count = int(depth.value.ravel()[0])
    index = indices.value.astype(np.int64)
    wrapped = np.where(index < 0, index + count, index)
    hot = np.expand_dims(wrapped, -1) == np.arange(count)
    off, on = values.value.ravel()[:2]
    axis = node.attribute("axis", -1)
    made = np.where(hot, on, off).astype(values.value.dtype)
    return [Bounded(np.moveaxis(made, -1, axis if axis >= 0 else made.ndim + axis))]


@operator("Cast")
def cast(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """To another dtype. Every float here is float64; a float becomes an integer towards zero."""
    x, kind = required(inputs), node.attribute("to")
    if kind in FLOATS:
        value = x.value.astype(np.float64)
        rounds = node.bounds and x.value.dtype.kind in "iu" and bool((np.abs(value) > 2**24).any())
        error = rounding(value, 1) if rounds else None
        return [Bounded(value, x.error if error is None else error)]
    dtype = _dtype(kind)
    if not x.is_float:
        return [Bounded(x.value.astype(dtype), x.error)]
    if dtype.kind == "b":
        return [Bounded(x.value != 0, None if x.error is None else (np.abs(x.value) <= x.error).astype(np.float64))]
    value = np.trunc(x.value)
    error = spread(np.trunc, x, value)
    # What no integer stands for is left to each runtime.
    edges = np.iinfo(dtype)
    outside = ~((x.value >= max(edges.min, -LARGEST)) & (x.value <= edges.max))
    if node.bounds and outside.any():
        error = np.where(outside, np.inf, 0.0 if error is None else error)
    return [Bounded(value.astype(dtype), error)]


def _dtype(kind: int) -> np.dtype:
    if kind in FLOATS:
        return np.dtype(np.float64)
    dtype = onnx.mapping.TENSOR_TYPE_TO_NP_TYPE.get(kind)
    if dtype is None or dtype.kind not in "iub":
        raise NotEvaluatedError(f"a cast to {onnx.TensorProto.DataType.Name(kind)}")
    return np.dtype(dtype)


def _wide(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float64) if array.dtype.kind == "f" else array
