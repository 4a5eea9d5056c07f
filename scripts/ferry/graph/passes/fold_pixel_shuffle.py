"""Recognise a pixel shuffle, which PyTorch writes as reshape, transpose, reshape, and make it one ``DepthToSpace``.

TFLite transposes six dimensions through the Flex delegate only. Where a convolution makes the channels, it makes them
in the order that TensorFlow's operator takes them in.
"""

from typing import List, Optional

import numpy as np

from ferry.graph.graph import Graph
from ferry.graph.node import Node
from ferry.graph.passes.chains import runs
from ferry.graph.passes.new_names import rename_changed

INTERLEAVED = [0, 1, 4, 2, 5, 3]


def fold_pixel_shuffle(graph: Graph) -> bool:
    """Rewrite each pixel shuffle of a static (N, C · b², H, W) tensor."""
    changed = False
    for run in runs(graph, [["Reshape"], ["Transpose"], ["Reshape"]]):
        block = _block(run)
        if block is not None:
            graph.replace(run, "DepthToSpace", [run[0].input(0)], {"blocksize": block, "mode": "CRD"})
            changed = True
    for node in graph:
        if node.is_a("DepthToSpace") and node.attribute("mode", b"DCR") == b"CRD":
            changed |= _reorder_convolution(graph, node)
    return changed


def _block(run: List[Node]) -> Optional[int]:
    """The size of the blocks that the channels become; ``None`` where the run does something else."""
    first, transpose, last = run
    source = first.input(0)
    before, split, after = (value.static_shape if value else None for value in (source, first.output, last.output))
    if before is None or split is None or len(before) != 4 or len(split) != 6:
        return None
    batch, channels, block, other, height, width = split
    if block != other or before != (batch, channels * block * block, height, width):
        return None
    if after != (batch, channels, height * block, width * block) or transpose.attribute("perm") != INTERLEAVED:
        return None
    return block


def _reorder_convolution(graph: Graph, node: Node) -> bool:
    """Have the convolution before ``node`` make the channels in TensorFlow's order, where it has constant weights."""
    source = node.input(0)
    conv = source.producer if source else None
    if source is None or conv is None or not conv.is_a("Conv") or conv.attribute("group", 1) != 1:
        return False
    old = [value for value in conv.inputs[1:] if value is not None]
    if source.sole_use is None or not all(value.is_constant for value in old):
        return False
    pixels = node.attribute("blocksize") ** 2
    reordered = []
    for value in old:
        array = value.array
        order = np.arange(len(array)).reshape(-1, pixels).T.ravel()
        # Another reader of the same weights keeps them as they are.
        reordered.append(graph.add_constant(f"{value.name}_by_pixel", array[order], value.dtype))
    conv.set_inputs([conv.input(0), *reordered])
    graph.forget_unused(old)
    node.attributes["mode"] = "DCR"
    rename_changed(graph, [source], "by_pixel")
    return True
