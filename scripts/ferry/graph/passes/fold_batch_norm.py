"""Fold batch norms, and arithmetic with constants a channel, into the linear layers beside them, in float64.

Folded in float32, the scale is rounded twice and the error of the whole network grows up to ten-fold; folded in
float64 and rounded once, it stays at float32's own rounding.
"""

from typing import Dict, List, Tuple

from ferry.graph.graph import Graph
from ferry.graph.node import Node, Value
from ferry.graph.passes.affine import affine_of, constant_inputs, data_input
from ferry.graph.passes.linear_layer import OPERATORS, linear_layer


def fold_batch_norm(graph: Graph) -> bool:
    """Fold each node that scales and shifts channels by constants, wherever that is exact.

    Into the convolution, transposed convolution or linear layer before it that nothing else reads, or else into the
    one after it that alone reads it and pads nothing: zeros around its input are not what the node makes of zeros.
    Weights that several layers share are folded where each is followed by the same node, and else left alone.
    """
    changed = False
    left_alone: Dict[Value, None] = {}
    for node in graph:
        changed |= _fold_into_producer(graph, node, left_alone)
    # From the end: of two before a layer, the second must be folded for the first to be next to it.
    for node in reversed(graph.nodes):
        changed |= _fold_into_reader(graph, node)
    return changed


def _fold_into_producer(graph: Graph, node: Node, left_alone: Dict[Value, None]) -> bool:
    source = data_input(node)
    producer = source.producer if source else None
    layer = linear_layer(producer)
    if producer is None or layer is None:
        return False
    weight = layer.weight_value
    affine = affine_of(node, layer.outputs, layer.rank)
    if affine is None or weight in left_alone:
        return False
    pairs = _pairs(producer, node, weight)
    if not pairs:
        left_alone[weight] = None
        return False
    layer.scale_outputs(affine.factor)
    layer.bias = layer.bias + affine.shift
    folded = layer.store(graph)
    for maker, follower in pairs:
        old = [*maker.inputs[1:], *constant_inputs(follower)]
        maker.set_inputs([maker.inputs[0], *folded])
        graph.absorb(maker, follower)
        graph.forget_unused(old)
    return True


def _pairs(producer: Node, node: Node, weight: Value) -> List[Tuple[Node, Node]]:
    """All layers with the weights ``weight``, and what alone reads each: the same as ``node``, or there is no pair."""
    if weight.is_pinned:
        return []
    pairs = []
    for use in weight.uses:
        maker = use.node
        follower = maker.output.sole_user if maker.is_a(*OPERATORS) else None
        if follower is None or _parameters(maker, follower) != _parameters(producer, node):
            return []
        pairs.append((maker, follower))
    return pairs


def _parameters(layer: Node, affine: Node) -> List[object]:
    """All that decides what the two are folded to."""
    operands = [value if value is not layer.output else None for value in affine.inputs]
    return [
        layer.operator, layer.inputs[1:], layer.attribute("group"), layer.attribute("transB"),
        affine.operator, operands, affine.attribute("epsilon"),
    ]  # fmt: skip


def _fold_into_reader(graph: Graph, node: Node) -> bool:
    source = data_input(node) if node.graph is graph else None
    reader = node.output.sole_user if source else None
    layer = linear_layer(reader)
    if source is None or reader is None or layer is None or layer.weight_value.sole_use is None:
        return False
    # Where the constant has more dimensions or channels than what it is combined with, it is no affine function.
    shape = source.static_shape
    affine = affine_of(node, layer.inputs, layer.rank)
    if affine is None or shape is None or len(shape) != layer.rank or shape[1] != layer.inputs:
        return False
    if affine.shift.any():
        if not layer.sees_only_input:
            return False
        layer.shift_inputs(affine.shift)
    layer.scale_inputs(affine.factor)
    layer.store(graph)
    reader.set_input(0, source)
    constants = constant_inputs(node)
    graph.remove(node)
    graph.forget_unused(constants)
    return True
