"""``Concat``, in channels-last where any operand was made so."""

from typing import List, Optional

import tensorflow as tf
from onnx_tf.pb_wrapper import OnnxNode

from ferry.graph.operator_registry import lowers
from ferry.lowering.tensors import RANKS_WITH_CHANNELS, ChannelsLast, Made, Tensors, last_axis_of


@lowers("Concat")
def lower(node: OnnxNode, tensors: Tensors) -> Optional[List[Made]]:
    """Join tensors of equal rank along ``axis``."""
    shape = tensors.shape(node.inputs[0])
    if shape is None or "axis" not in node.attrs:
        return None
    rank, axis = len(shape), node.attrs["axis"]
    if rank in RANKS_WITH_CHANNELS and any(tensors.made_last(name) for name in node.inputs):
        return [ChannelsLast(tf.concat([tensors.last(name) for name in node.inputs], last_axis_of(axis, rank)))]
    return [tf.concat([tensors[name] for name in node.inputs], axis)]
