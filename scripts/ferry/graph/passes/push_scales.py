"""Move a batch norm's scale through the activation behind it into the weights that follow.

A batch norm before its ReLU and convolution, as DenseNet has it, cannot be folded into either neighbour. But
relu(a·x + b) is a·relu(x + b/a) for a > 0, and a convolution that scales its inputs is another convolution. What stays
is one addition, which TFLite runs together with the ReLU, instead of a multiplication and an addition.
"""

from typing import Dict, List, Optional

import numpy as np
import onnx
from onnx import helper

from ferry.graph.links import Links
from ferry.graph.node_list import has
from ferry.graph.operator_registry import HOMOGENEOUS
from ferry.graph.passes.affine import AFFINE, affine_of, data_input
from ferry.graph.passes.fold_constants import remove_dead_nodes, static_shapes
from ferry.graph.passes.linear_layer import LinearLayer, linear_layer
from ferry.graph.weights import Weights

# Weights scaled by less would be denormal numbers, which have fewer digits.
SMALLEST_SCALE = 1e-20


def push_scales(model: onnx.ModelProto) -> None:
    """Replace, in place, each channel-wise ``a·x + b`` whose scales all are positive by an addition, where it can be.

    That is where whatever reads it leads, through operators that keep channels apart and positive factors whole, to
    convolutions and linear layers with weights of their own.
    """
    if not has(model, *AFFINE):
        return
    weights, shapes, links = Weights(model), static_shapes(model), Links(model)
    for node in model.graph.node:
        source = data_input(node, weights)
        shape = shapes.get(source or "", [])
        if source is None or len(shape) < 2 or shapes.get(node.output[0]) != shape:
            continue
        affine = affine_of(node, weights, shape[1], len(shape))
        if affine is None or (affine.factor == 1).all() or affine.factor.min() < SMALLEST_SCALE:
            continue
        layers = _layers_behind(node.output[0], shape[1], links, weights, shapes)
        if not layers:
            continue
        for layer in layers:
            layer.scale_inputs(affine.factor)
            weights.put_layer(layer)
        node.CopyFrom(_addition(node, source, affine.shift / affine.factor, len(shape), weights))
        links = Links(model)
    weights.store()
    remove_dead_nodes(model)


def _addition(node: onnx.NodeProto, source: str, shift: np.ndarray, rank: int, weights: Weights) -> onnx.NodeProto:
    if not shift.any():
        return helper.make_node("Identity", [source], [node.output[0]], name=node.name)
    like = next(name for name in node.input if name in weights)
    name = weights.put(f"{node.output[0]}_shift", shift.reshape([-1] + [1] * (rank - 2)), like)
    return helper.make_node("Add", [source, name], [node.output[0]], name=node.name)


def _layers_behind(
    name: str, channels: int, links: Links, weights: Weights, shapes: Dict[str, List[int]]
) -> Optional[List[LinearLayer]]:
    """The layers that all paths from the tensor ``name`` lead to; ``None`` where one leads elsewhere."""
    layers: List[LinearLayer] = []
    for node in links.readers(name) or [None]:
        if node is None or node.input[0] != name or list(node.input).count(name) != 1:
            return None
        if node.op_type in HOMOGENEOUS or _keeps_channels(node, channels, shapes):
            found = _layers_behind(node.output[0], channels, links, weights, shapes) if len(node.output) == 1 else None
            if found is None:
                return None
            layers.extend(found)
            continue
        layer = linear_layer(node, weights)
        if layer is None or layer.inputs != channels or links.sole_reader(node.input[1]) is None:
            return None
        layers.append(layer)
    return layers


def _keeps_channels(node: onnx.NodeProto, channels: int, shapes: Dict[str, List[int]]) -> bool:
    """Whether ``node`` averages over positions, or drops dimensions of 1, and leaves (N, channels, …)."""
    before, after = shapes.get(node.input[0], []), shapes.get(node.output[0], [])
    if before[:2] != after[:2] or len(after) < 2 or after[1] != channels:
        return False
    if node.op_type == "ReduceMean":
        return True
    return node.op_type in ("Reshape", "Flatten", "Squeeze") and int(np.prod(before)) == int(np.prod(before[:2]))
