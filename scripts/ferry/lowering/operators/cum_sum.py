"""``CumSum`` along a constant dimension."""

from typing import List, Optional

import tensorflow as tf
from onnx_tf.pb_wrapper import OnnxNode

from ferry.graph.operator_registry import lowers
from ferry.lowering.tensors import Made, Tensors


@lowers("CumSum")
def lower(node: OnnxNode, tensors: Tensors) -> Optional[List[Made]]:
    """Sum static ``X`` up along the constant ``axis``, in as many additions as its length has binary digits."""
    shape, axis = tensors.static_shape(node.inputs[0]), tensors.constant(node.inputs[1])
    x = tensors[node.inputs[0]]
    if shape is None or axis is None or x.dtype not in (tf.float32, tf.float64, tf.int32, tf.int64):
        return None
    where, length = int(axis.reshape(())) % len(shape), shape[int(axis.reshape(()))]
    backwards = bool(node.attrs.get("reverse", 0))
    total = _shifted(x, 1, where, backwards) if node.attrs.get("exclusive", 0) else x
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
