"""``Split``, in the layout its operand was made in."""

from typing import List, Optional

import tensorflow as tf
from onnx_tf.pb_wrapper import OnnxNode

from ferry.graph.operator_registry import lowers
from ferry.lowering.tensors import Made, Tensors, last_axis_of, same_layout


@lowers("Split")
def lower(node: OnnxNode, tensors: Tensors) -> Optional[List[Made]]:
    """Cut ``X`` along ``axis`` into the lengths of ``split``, or into equal ones."""
    shape = tensors.shape(node.inputs[0])
    axis = node.attrs.get("axis", 0)
    if shape is None or shape[axis] is None or len(node.inputs) != 1:
        return None
    lengths = node.attrs.get("split") or [shape[axis] // len(node.outputs)] * len(node.outputs)
    if sum(lengths) != shape[axis]:
        return None
    x, last = tensors.either(node.inputs[0])
    where = last_axis_of(axis, len(shape)) if last else axis
    # TFLite has faster kernels for SPLIT than for SPLIT_V.
    parts = len(lengths) if len(set(lengths)) == 1 else lengths
    return [same_layout(last, part) for part in tf.split(x, parts, axis=where)]
