"""Recognise a channel shuffle, which PyTorch writes as reshape, transpose, reshape, and make it one ``Gather``.

Its transpose is of five dimensions with the channels in the middle; as a permutation of the channels alone it needs
none, in whatever layout they lie.
"""

from typing import List, Optional

import numpy as np
import onnx
from onnx import helper, numpy_helper

from ferry.graph.node_list import has
from ferry.graph.onnx_file import initializers
from ferry.graph.passes.chains import replace_chains
from ferry.graph.passes.fold_constants import static_shapes

SWAPPED = [0, 2, 1, 3, 4]


def fold_channel_shuffle(model: onnx.ModelProto) -> None:
    """Rewrite, in place, each shuffle of the second dimension of a static (N, C, H, W) tensor."""
    if not has(model, "Transpose"):
        return
    shapes, constants = static_shapes(model), initializers(model)

    def build(run: List[onnx.NodeProto]) -> Optional[onnx.NodeProto]:
        first, transpose, second = run
        before, split, after = (shapes.get(name) for name in (first.input[0], first.output[0], second.output[0]))
        permutation = next((list(entry.ints) for entry in transpose.attribute if entry.name == "perm"), None)
        if before is None or split is None or before != after or permutation != SWAPPED or len(split) != len(SWAPPED):
            return None
        if len(before) != 4 or before != [split[0], split[1] * split[2], *split[3:]]:
            return None
        order = np.arange(before[1]).reshape(split[1], split[2]).T.ravel().astype(np.int64)
        name = second.output[0] + "_channels"
        if name in constants:
            return None
        model.graph.initializer.append(numpy_helper.from_array(order, name))
        return helper.make_node("Gather", [first.input[0], name], [second.output[0]], name=second.name, axis=1)

    replace_chains(model, [["Reshape"], ["Transpose"], ["Reshape"]], build)
