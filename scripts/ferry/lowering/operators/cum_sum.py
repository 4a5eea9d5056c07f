"""``CumSum`` along a constant dimension."""

import tensorflow as tf

from ferry.graph.operator_registry import lowers
from ferry.lowering.declined import Declined, Lowered
from ferry.lowering.node import Node
from ferry.lowering.tensors import Tensors


@lowers("CumSum")
def lower(node: Node, tensors: Tensors) -> Lowered:
    """Sum static ``X`` up along the constant ``axis``, in as many additions as its length has binary digits."""
    shape, axis = tensors.static_shape(node.inputs[0]), tensors.constant(node.inputs[1])
    x = tensors[node.inputs[0]]
    if axis is None or axis.size != 1:
        return Declined("its dimension is not constant", onnx_tf_differs=True)
    if not shape or x.dtype not in (tf.float32, tf.float64, tf.int32, tf.int64):
        return Declined(f"its input is {x.dtype.name} or of unknown shape", onnx_tf_differs=True)
    where = int(axis.reshape(())) % len(shape)
    length, backwards = shape[where], bool(node.attributes["reverse"])
    total = _shifted(x, 1, where, backwards) if node.attributes["exclusive"] else x
    step = 1
    # Each round every entry gains the sum of as many entries before it as it holds already.
    while step < length:
        total = total + _shifted(total, step, where, backwards)
        step *= 2
    return [total]


def _shifted(x: tf.Tensor, step: int, axis: int, backwards: bool) -> tf.Tensor:
    """``x`` moved ``step`` places along ``axis``, with zeros where nothing moved to."""
    rank, length = x.shape.rank, x.shape.as_list()[axis]
    widths, kept = [[0, 0] for _ in range(rank)], [slice(None)] * rank
    widths[axis][1 if backwards else 0] = step
    kept[axis] = slice(step, None) if backwards else slice(0, length - step)
    return tf.pad(x[tuple(kept)], widths)
