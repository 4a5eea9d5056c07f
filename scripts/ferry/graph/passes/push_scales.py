"""Move a batch norm's scale through the activation behind it into the weights that follow.

A batch norm before its ReLU and convolution, as DenseNet has it, cannot be folded into either neighbour. But
relu(a·x + b) is a·relu(x + b/a) for a > 0, and a convolution that scales its inputs is another convolution. What stays
is one addition, which TFLite runs together with the ReLU, instead of a multiplication and an addition.
"""

from typing import List, NamedTuple, Optional

import numpy as np

from ferry.graph.graph import Graph
from ferry.graph.node import Node, Value
from ferry.graph.operator_registry import HOMOGENEOUS
from ferry.graph.passes.affine import Affine, affine_of, constant_inputs, data_input
from ferry.graph.passes.linear_layer import LinearLayer, linear_layer
from ferry.graph.passes.new_names import rename_changed

# Weights scaled by less would be denormal numbers, which have fewer digits.
SMALLEST_SCALE = 1e-20


def push_scales(graph: Graph) -> bool:
    """Replace each channel-wise ``a·x + b`` whose scales all are positive by an addition, where it can be.

    That is where whatever reads it leads, through operators that keep channels apart and positive factors whole, to
    convolutions and linear layers with weights of their own.
    """
    changed = False
    for node in graph:
        source = data_input(node)
        shape = source.static_shape if source is not None else None
        if source is None or shape is None or len(shape) < 2 or node.output.static_shape != shape:
            continue
        affine = affine_of(node, shape[1], len(shape))
        if affine is None or (affine.factor == 1).all() or affine.factor.min() < SMALLEST_SCALE:
            continue
        way = _way_behind(node.output, shape[1])
        if way is not None:
            _push(graph, node, source, affine, way)
            changed = True
    return changed


class _Way(NamedTuple):
    """The layers that all paths from a tensor lead to, and the tensors on the way there, the first one among them."""

    layers: List[LinearLayer]
    values: List[Value]


def _push(graph: Graph, node: Node, source: Value, affine: Affine, way: _Way) -> None:
    for layer in way.layers:
        layer.scale_inputs(affine.factor)
        layer.store(graph)
    old, shift = constant_inputs(node), affine.shift / affine.factor
    if shift.any():
        spread = shift.reshape([-1] + [1] * (len(source.shape or ()) - 2))
        added = graph.add_constant(f"{node.output.name}_shift", spread, old[0].dtype)
        graph.replace([node], "Add", [source, added])
    else:
        graph.replace([node], "Identity", [source])
    graph.forget_unused(old)
    rename_changed(graph, way.values, "unscaled")


def _way_behind(value: Value, channels: int) -> Optional[_Way]:
    """The way from ``value`` to the layers behind it; ``None`` where a path leads elsewhere."""
    way = _Way([], [])
    open_values = [value]
    while open_values:
        value = open_values.pop()
        way.values.append(value)
        if value.is_pinned or not value.uses:
            return None
        for node, index in value.uses:
            if index != 0:
                return None
            if node.is_a(*HOMOGENEOUS) or _keeps_channels(node, channels):
                if len(node.outputs) != 1:
                    return None
                open_values.append(node.output)
                continue
            layer = linear_layer(node)
            if layer is None or layer.inputs != channels or layer.weight_value.sole_use is None:
                return None
            way.layers.append(layer)
    return way


def _keeps_channels(node: Node, channels: int) -> bool:
    """Whether ``node`` averages over positions, or drops dimensions of 1, and leaves (N, channels, …)."""
    if not node.is_a("ReduceMean", "Reshape", "Flatten", "Squeeze"):
        return False
    source = node.input(0)
    before, after = source.static_shape if source is not None else None, node.output.static_shape
    if before is None or after is None or before[:2] != after[:2] or len(after) < 2 or after[1] != channels:
        return False
    return node.operator == "ReduceMean" or int(np.prod(before)) == int(np.prod(before[:2]))
