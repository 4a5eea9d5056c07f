"""Recognise arithmetic on each channel of a tensor by itself, as torchvision's ``transform_input`` writes it.

Inception and GoogLeNet take their pretrained input apart into channels, scale and shift each, and put them together:
thirteen operators for what is one multiplication and one addition, or nothing once a convolution has taken them in.
"""

from typing import Dict, List, NamedTuple, Optional

import numpy as np
import onnx
from onnx import helper

from ferry.graph.attributes import attribute
from ferry.graph.links import Links
from ferry.graph.node_list import has, replace_nodes
from ferry.graph.passes.affine import affine_of, data_input
from ferry.graph.passes.fold_constants import remove_dead_nodes, static_shapes
from ferry.graph.weights import Weights


class _Channel(NamedTuple):
    source: str
    position: int
    factor: float
    shift: float
    like: Optional[str]


def join_channels(model: onnx.ModelProto) -> None:
    """Rewrite, in place, each ``Concat`` of one tensor's channels in order, each scaled and shifted by scalars."""
    if not has(model, "Unsqueeze"):
        return
    weights, shapes, links = Weights(model), static_shapes(model), Links(model)
    nodes: List[onnx.NodeProto] = []
    for node in model.graph.node:
        channels = _channels(node, weights, shapes, links)
        if channels is None:
            nodes.append(node)
            continue
        source, between = channels[0].source, f"{node.output[0]}_scaled"
        like = next(channel.like for channel in channels if channel.like)
        shape = [-1] + [1] * (len(shapes[source]) - 2)
        factor = weights.put(f"{node.output[0]}_factor", np.array([c.factor for c in channels]).reshape(shape), like)
        shift = weights.put(f"{node.output[0]}_shift", np.array([c.shift for c in channels]).reshape(shape), like)
        nodes.append(helper.make_node("Mul", [source, factor], [between], name=f"{node.name}_scale"))
        nodes.append(helper.make_node("Add", [between, shift], [node.output[0]], name=node.name))
    replace_nodes(model, nodes)
    weights.store()
    remove_dead_nodes(model)


def _channels(
    node: onnx.NodeProto, weights: Weights, shapes: Dict[str, List[int]], links: Links
) -> Optional[List[_Channel]]:
    if node.op_type != "Concat" or attribute(node, "axis") != 1:
        return None
    found = [_channel(name, weights, shapes, links) for name in node.input]
    channels = [channel for channel in found if channel is not None]
    if len(channels) < len(found) or not any(channel.like for channel in channels):
        return None
    source = channels[0].source
    in_order = [(channel.source, channel.position) for channel in channels]
    wanted = [(source, index) for index in range(len(channels))]
    return channels if in_order == wanted and shapes.get(source) == shapes.get(node.output[0]) else None


def _channel(name: str, weights: Weights, shapes: Dict[str, List[int]], links: Links) -> Optional[_Channel]:
    """Follow ``name`` back to the one channel of another tensor that it is an affine function of."""
    factor, shift, like = 1.0, 0.0, None
    while name in links.producer:
        node = links.producer[name]
        if node.op_type == "Unsqueeze" and attribute(node, "axes") == [1]:
            gather = links.producer.get(node.input[0])
            if gather is None or gather.op_type != "Gather" or attribute(gather, "axis", 0) != 1:
                return None
            index = weights.get(gather.input[1])
            if index is None or index.ndim or gather.input[0] not in shapes:
                return None
            return _Channel(gather.input[0], int(index) % shapes[gather.input[0]][1], factor, shift, like)
        source = data_input(node, weights)
        shape = shapes.get(source or "", [])
        affine = affine_of(node, weights, 1, len(shape)) if len(shape) > 2 and shape[1] == 1 else None
        if source is None or affine is None or shapes.get(name) != shape:
            return None
        # The nodes are met from the last to the first.
        factor, shift = factor * affine.factor[0], shift + factor * affine.shift[0]
        like = next(each for each in node.input if each in weights)
        name = source
    return None
