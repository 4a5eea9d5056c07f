"""``BatchNormalization`` that could not be folded: one multiplication and one addition a channel."""

from typing import List, Optional

import tensorflow as tf
from onnx_tf.pb_wrapper import OnnxNode

from ferry.onnx_graph.affine import DEFAULT_EPSILON, scale_and_shift
from ferry.tf_graph.tensors import ChannelsLast, Made, Tensors


def lower(node: OnnxNode, tensors: Tensors) -> Optional[List[Made]]:
    """Normalise ``X`` (N, C, …) with constant statistics; the two vectors are computed in float64, rounded once."""
    shape = tensors.shape(node.inputs[0])
    found = [tensors.constant(name) for name in node.inputs[1:5]]
    parameters = [array for array in found if array is not None]
    if shape is None or len(parameters) < len(found) or len(node.outputs) != 1:
        return None
    exact = scale_and_shift(parameters, node.attrs.get("epsilon", DEFAULT_EPSILON))
    factor, shift = (vector.astype(parameters[0].dtype) for vector in exact)
    if len(shape) == 2:
        return [tensors[node.inputs[0]] * factor + shift]
    if len(shape) in (3, 4, 5):
        return [ChannelsLast(tf.add(tf.multiply(tensors.last(node.inputs[0]), factor), shift))]
    return None
