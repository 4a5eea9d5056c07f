"""``Pad`` with constant widths, in the layout its operand was made in."""

from typing import List, Optional

import numpy as np
import tensorflow as tf
from onnx_tf.pb_wrapper import OnnxNode

from ferry.graph.operator_registry import lowers
from ferry.lowering.tensors import Made, Tensors, last_axis_of, same_layout

MODES = {"constant": "CONSTANT", "reflect": "REFLECT", "edge": "SYMMETRIC"}


@lowers("Pad")
def lower(node: OnnxNode, tensors: Tensors) -> Optional[List[Made]]:
    """Pad ``X`` by constant widths, all at least 0; they are an input (opset 11 on) or an attribute (before)."""
    shape = tensors.shape(node.inputs[0])
    mode = MODES.get(node.attrs.get("mode", "constant"))
    widths = tensors.constant(node.inputs[1]) if len(node.inputs) > 1 else node.attrs.get("pads")
    value = node.attrs.get("value", 0.0)
    if len(node.inputs) > 2 and node.inputs[2]:
        value = tensors.constant(node.inputs[2])
    if shape is None or mode is None or widths is None or value is None or min(widths) < 0:
        return None
    x, last = tensors.either(node.inputs[0])
    if not x.dtype.is_floating:
        return None
    rank = len(shape)
    pairs = [[0, 0]] * rank
    for axis, pair in enumerate(np.asarray(widths).reshape(2, rank).T.tolist()):
        pairs[last_axis_of(axis, rank) if last else axis] = pair
    if mode == "SYMMETRIC":
        return [same_layout(last, _repeated_edge(x, np.array(pairs), node.name or None))]
    return [same_layout(last, tf.pad(x, pairs, mode, constant_values=float(value), name=node.name or None))]


def _repeated_edge(x: tf.Tensor, pairs: np.ndarray, name: Optional[str]) -> tf.Tensor:
    """``x`` widened by ``pairs`` with the values at its edges: a mirrored padding of one repeats just these."""
    while pairs.any():
        step = np.minimum(pairs, 1)
        pairs = pairs - step
        x = tf.pad(x, step.tolist(), "SYMMETRIC", name=None if pairs.any() else name)
    return tf.identity(x)
