"""Fold batch norms, and arithmetic with constants a channel, into the linear layers beside them, in float64.

Folded in float32, the scale is rounded twice and the error of the whole network grows up to ten-fold; folded in
float64 and rounded once, it stays at float32's own rounding.
"""

from typing import Dict, List, Optional, Tuple

import onnx

from ferry.graph.links import Links
from ferry.graph.node_list import has
from ferry.graph.passes.affine import AFFINE, affine_of, data_input
from ferry.graph.passes.fold_constants import remove_dead_nodes, static_shapes
from ferry.graph.passes.linear_layer import OPERATORS, linear_layer
from ferry.graph.weights import Weights

Pair = Tuple[onnx.NodeProto, onnx.NodeProto]


def fold_batch_norm(model: onnx.ModelProto) -> None:
    """Fold, in place, each node that scales and shifts channels by constants, wherever that is exact.

    Into the convolution, transposed convolution or linear layer before it that nothing else reads, or else into the
    one after it that alone reads it and pads nothing: zeros around its input are not what the node makes of zeros.
    Weights that several layers share are folded where each is followed by the same node, and else left alone.
    """
    if not has(model, *AFFINE):
        return
    weights, shapes, links = Weights(model), static_shapes(model), Links(model)
    for node in list(model.graph.node):
        # The partner of one that was folded with it is gone already.
        if data_input(node, weights) is None or links.producer.get(node.output[0]) != node:
            continue
        folded = _fold_into_producer(node, links, weights) or _fold_into_reader(node, links, weights, shapes)
        for each in folded:
            model.graph.node.remove(each)
        if folded:
            links = Links(model)
    weights.store()
    remove_dead_nodes(model)


def _fold_into_producer(node: onnx.NodeProto, links: Links, weights: Weights) -> List[onnx.NodeProto]:
    producer = links.producer.get(data_input(node, weights) or "")
    layer = linear_layer(producer, weights)
    affine = affine_of(node, weights, layer.outputs, layer.rank) if layer else None
    if producer is None or layer is None or affine is None:
        return []
    pairs: List[Pair] = []
    for maker in links.readers(producer.input[1]) or []:
        follower = links.sole_reader(maker.output[0]) if maker.op_type in OPERATORS else None
        if follower is None or _parameters(maker, follower) != _parameters(producer, node):
            return []
        pairs.append((maker, follower))
    if not pairs:
        return []
    layer.scale_outputs(affine.factor)
    layer.bias = layer.bias + affine.shift
    weights.put_layer(layer)
    folded = list(layer.node.input[1:])
    for maker, follower in pairs:
        del maker.input[1:]
        maker.input.extend(folded)
        maker.output[0] = follower.output[0]
    return [follower for _, follower in pairs]


def _parameters(layer: onnx.NodeProto, affine: onnx.NodeProto) -> List[object]:
    """All that decides what the two are folded to."""
    attributes = {entry.name: entry.SerializeToString() for entry in layer.attribute}
    operands = [name if name != layer.output[0] else "" for name in affine.input]
    epsilon = [entry.SerializeToString() for entry in affine.attribute if entry.name == "epsilon"]
    return [
        layer.op_type, list(layer.input[1:]), attributes.get("group"), attributes.get("transB"),
        affine.op_type, operands, epsilon,
    ]  # fmt: skip


def _fold_into_reader(
    node: onnx.NodeProto, links: Links, weights: Weights, shapes: Dict[str, List[int]]
) -> List[onnx.NodeProto]:
    reader: Optional[onnx.NodeProto] = links.sole_reader(node.output[0])
    layer = linear_layer(reader, weights)
    source = data_input(node, weights)
    if reader is None or layer is None or source is None or links.sole_reader(reader.input[1]) is None:
        return []
    # Where the constant has more dimensions or channels than what it is combined with, it is no affine function.
    shape = shapes.get(source, [])
    affine = affine_of(node, weights, layer.inputs, layer.rank)
    if affine is None or len(shape) != layer.rank or shape[1] != layer.inputs:
        return []
    if affine.shift.any():
        if not layer.sees_only_input:
            return []
        layer.shift_inputs(affine.shift)
    layer.scale_inputs(affine.factor)
    weights.put_layer(layer)
    reader.input[0] = source
    return [node]
