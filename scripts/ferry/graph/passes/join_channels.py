"""Recognise arithmetic on each channel of a tensor by itself, as torchvision's ``transform_input`` writes it.

Inception and GoogLeNet take their pretrained input apart into channels, scale and shift each, and put them together:
thirteen operators for what is one multiplication and one addition, or nothing once a convolution has taken them in.
"""

from typing import List, NamedTuple, Optional

import numpy as np

from ferry.graph.graph import Graph
from ferry.graph.node import Node, Value
from ferry.graph.passes.affine import affine_of, constant_inputs, data_input


class _Channel(NamedTuple):
    source: Value
    position: int
    factor: float
    shift: float
    dtype: Optional[np.dtype]  # of the constants; None if there are none


def join_channels(graph: Graph) -> bool:
    """Rewrite each ``Concat`` of one tensor's channels in order, each scaled and shifted by scalars."""
    changed = False
    for node in graph:
        channels = _channels(node)
        if channels is None:
            continue
        source, name = channels[0].source, node.output.name
        dtype = next(each.dtype for each in channels if each.dtype is not None)
        spread = [-1] + [1] * (len(source.static_shape or ()) - 2)
        factors = np.array([each.factor for each in channels]).reshape(spread)
        shifts = np.array([each.shift for each in channels]).reshape(spread)
        scaled = graph.add_value(f"{name}_scaled", source.shape, source.dtype)
        operands = [source, graph.add_constant(f"{name}_factor", factors, dtype)]
        graph.insert("Mul", operands, [scaled], name=f"{node.name}_scale", before=node)
        graph.replace([node], "Add", [scaled, graph.add_constant(f"{name}_shift", shifts, dtype)])
        changed = True
    return changed


def _channels(node: Node) -> Optional[List[_Channel]]:
    if not node.is_a("Concat") or node.attribute("axis") != 1:
        return None
    channels = []
    for value in node.inputs:
        channel = _channel(value)
        if channel is None:
            return None
        channels.append(channel)
    if not any(channel.dtype is not None for channel in channels):
        return None
    source = channels[0].source
    in_order = all(each.source is source and each.position == index for index, each in enumerate(channels))
    return channels if in_order and source.static_shape == node.output.static_shape else None


def _channel(value: Optional[Value]) -> Optional[_Channel]:
    """Follow ``value`` back to the one channel of another tensor that it is an affine function of."""
    factor, shift, dtype = 1.0, 0.0, None
    while value is not None and value.producer is not None:
        node = value.producer
        if node.is_a("Unsqueeze") and node.attribute("axes") == [1]:
            return _gathered(node.input(0), factor, shift, dtype)
        source = data_input(node)
        shape = source.static_shape if source is not None else None
        affine = affine_of(node, 1, len(shape)) if shape is not None and len(shape) > 2 and shape[1] == 1 else None
        if affine is None or value.static_shape != shape:
            return None
        # The nodes are met from the last to the first.
        factor, shift = factor * affine.factor[0], shift + factor * affine.shift[0]
        dtype = constant_inputs(node)[0].dtype
        value = source
    return None


def _gathered(value: Optional[Value], factor: float, shift: float, dtype: Optional[np.dtype]) -> Optional[_Channel]:
    gather = value.producer if value is not None else None
    if gather is None or not gather.is_a("Gather") or gather.attribute("axis", 0) != 1:
        return None
    source, indices = gather.inputs
    index = indices.constant if indices is not None else None
    shape = source.static_shape if source is not None else None
    if source is None or index is None or index.ndim or shape is None:
        return None
    return _Channel(source, int(index) % shape[1], factor, shift, dtype)
