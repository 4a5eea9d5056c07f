"""``Concat``, in channels-last where any operand was made so."""

import tensorflow as tf

from ferry.graph.operator_registry import lowers
from ferry.lowering.declined import UNKNOWN_RANK, Lowered
from ferry.lowering.node import Node
from ferry.lowering.tensors import RANKS_WITH_CHANNELS, ChannelsLast, Tensors, last_axis_of


@lowers("Concat")
def lower(node: Node, tensors: Tensors) -> Lowered:
    """Join tensors of equal rank along ``axis``."""
    shape = tensors.shape(node.inputs[0])
    if shape is None:
        return UNKNOWN_RANK
    rank, axis = len(shape), node.attributes["axis"]
    if rank in RANKS_WITH_CHANNELS and any(tensors.made_last(name) for name in node.inputs):
        return [ChannelsLast(tf.concat([tensors.last(name) for name in node.inputs], last_axis_of(axis, rank)))]
    return [tf.concat([tensors[name] for name in node.inputs], axis)]
