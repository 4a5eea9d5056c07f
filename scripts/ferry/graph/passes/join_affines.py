"""Make a run of multiplications and additions by constants a channel, such as ``(x - mean) / std``, one batch norm."""

from typing import Dict, List, Optional

import numpy as np
import onnx
from onnx import helper

from ferry.graph.links import Links
from ferry.graph.node_list import has
from ferry.graph.passes.affine import Affine, affine_of, data_input
from ferry.graph.passes.chains import replace_chains
from ferry.graph.passes.fold_constants import remove_dead_nodes, static_shapes
from ferry.graph.weights import Weights

ARITHMETIC = ["Add", "Sub", "Mul", "Div"]


def join_affines(model: onnx.ModelProto) -> None:
    """Rewrite, in place, each pair of a factor and a shift of the channels of a static (N, C, H, W) tensor.

    Scalars alone say nothing about channels; a pair of them is joined only where a convolution reads it.
    """
    if not has(model, *ARITHMETIC):
        return
    weights, shapes, links = Weights(model), static_shapes(model), Links(model)

    def build(run: List[onnx.NodeProto]) -> Optional[onnx.NodeProto]:
        affines = [_affine(node, weights, shapes) for node in run]
        first, second = affines
        if first is None or second is None:
            return None
        source = data_input(run[0], weights)
        sizes = [weights[name].size for node in run for name in node.input if name in weights]
        reader = links.sole_reader(run[1].output[0])
        if max(sizes) == 1 and (reader is None or reader.op_type != "Conv"):
            return None
        zeros, ones = np.zeros_like(first.factor), np.ones_like(first.factor)
        vectors = {
            "factor": first.factor * second.factor,
            "shift": first.shift * second.factor + second.shift,
            "mean": zeros,
            "variance": ones,
        }
        like = next(name for name in run[0].input if name in weights)
        stem = run[1].output[0]
        names = [weights.put(f"{stem}_{name}", vector, like) for name, vector in vectors.items()]
        return helper.make_node("BatchNormalization", [source, *names], [stem], name=run[1].name, epsilon=0.0)

    count = None
    while count != len(model.graph.node):
        count = len(model.graph.node)
        replace_chains(model, [[*ARITHMETIC, "BatchNormalization"], ARITHMETIC], build)
    weights.store()
    remove_dead_nodes(model)


def _affine(node: onnx.NodeProto, weights: Weights, shapes: Dict[str, List[int]]) -> Optional[Affine]:
    shape = shapes.get(data_input(node, weights) or "", [])
    if len(shape) != 4 or shapes.get(node.output[0]) != shape:
        return None
    return affine_of(node, weights, shape[1], len(shape))
