"""Recognise a pixel shuffle, which PyTorch writes as reshape, transpose, reshape, and make it one ``DepthToSpace``.

TFLite transposes six dimensions through the Flex delegate only. Where a convolution makes the channels, it makes them
in the order that TensorFlow's operator takes them in.
"""

from typing import List, Optional

import numpy as np
import onnx
from onnx import helper

from ferry.graph.attributes import attribute
from ferry.graph.links import Links
from ferry.graph.node_list import has
from ferry.graph.passes.chains import replace_chains
from ferry.graph.passes.fold_constants import remove_dead_nodes, static_shapes
from ferry.graph.weights import Weights

INTERLEAVED = [0, 1, 4, 2, 5, 3]


def fold_pixel_shuffle(model: onnx.ModelProto) -> None:
    """Rewrite, in place, each pixel shuffle of a static (N, C · b², H, W) tensor."""
    if not has(model, "Transpose"):
        return
    shapes = static_shapes(model)

    def build(run: List[onnx.NodeProto]) -> Optional[onnx.NodeProto]:
        first, transpose, second = run
        before, split, after = (shapes.get(name, []) for name in (first.input[0], first.output[0], second.output[0]))
        if len(before) != 4 or len(split) != 6 or attribute(transpose, "perm") != INTERLEAVED:
            return None
        batch, channels, block, other, height, width = split
        if block != other or before != [batch, channels * block * block, height, width]:
            return None
        if after != [batch, channels, height * block, width * block]:
            return None
        return helper.make_node(
            "DepthToSpace", [first.input[0]], [second.output[0]], name=second.name, blocksize=block, mode="CRD"
        )

    replace_chains(model, [["Reshape"], ["Transpose"], ["Reshape"]], build)
    _reorder_convolutions(model)


def _reorder_convolutions(model: onnx.ModelProto) -> None:
    if not has(model, "DepthToSpace"):
        return
    weights, links = Weights(model), Links(model)
    for node in model.graph.node:
        if node.op_type != "DepthToSpace" or attribute(node, "mode", b"DCR") != b"CRD":
            continue
        conv = links.producer.get(node.input[0])
        if conv is None or conv.op_type != "Conv" or attribute(conv, "group", 1) != 1:
            continue
        names = [name for name in conv.input[1:] if name]
        if links.sole_reader(conv.output[0]) is None or any(name not in weights for name in names):
            continue
        pixels = attribute(node, "blocksize") ** 2
        order = np.arange(weights[names[0]].shape[0]).reshape(-1, pixels).T.ravel()
        # Another reader of the same weights keeps them as they are.
        reordered = [weights.put(f"{name}_by_pixel", weights[name][order], name) for name in names]
        del conv.input[1:]
        conv.input.extend(reordered)
        for entry in node.attribute:
            if entry.name == "mode":
                entry.s = b"DCR"
    weights.store()
    remove_dead_nodes(model)
