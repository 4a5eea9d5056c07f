"""Make a run of multiplications and additions by constants a channel, such as ``(x - mean) / std``, one batch norm."""

from typing import Optional

import numpy as np

from ferry.graph.graph import Graph
from ferry.graph.node import Node, Value
from ferry.graph.passes.affine import AFFINE, ARITHMETIC, Affine, affine_of, constant_inputs, data_input


def join_affines(graph: Graph) -> bool:
    """Rewrite each pair of a factor and a shift of the channels of a static (N, C, H, W) tensor.

    Scalars alone say nothing about channels; a pair of them is joined only where a convolution reads it. Of more than
    two in a row, each joins the batch norm that those before it have become.
    """
    changed = False
    for second in graph:
        between = data_input(second) if second.is_a(*ARITHMETIC) else None
        first = between.producer if between is not None and between.sole_use else None
        source = data_input(first) if first is not None and first.is_a(*AFFINE) else None
        if first is None or source is None:
            continue
        joined = _joined(first, source, second)
        if joined is not None:
            _replace(graph, first, source, second, joined)
            changed = True
    return changed


def _joined(first: Node, source: Value, second: Node) -> Optional[Affine]:
    shape = source.static_shape
    if shape is None or len(shape) != 4 or any(node.output.static_shape != shape for node in (first, second)):
        return None
    before, after = affine_of(first, shape[1], 4), affine_of(second, shape[1], 4)
    if before is None or after is None:
        return None
    sizes = [np.prod(value.shape) for node in (first, second) for value in constant_inputs(node)]
    reader = second.output.sole_user
    if max(sizes) == 1 and (reader is None or not reader.is_a("Conv")):
        return None
    return Affine(before.factor * after.factor, before.shift * after.factor + after.shift)


def _replace(graph: Graph, first: Node, source: Value, second: Node, joined: Affine) -> None:
    old = [*constant_inputs(first), *constant_inputs(second)]
    vectors = {
        "factor": joined.factor,
        "shift": joined.shift,
        "mean": np.zeros_like(joined.factor),
        "variance": np.ones_like(joined.factor),
    }
    stem, dtype = second.output.name, old[0].dtype
    constants = [graph.add_constant(f"{stem}_{name}", vector, dtype) for name, vector in vectors.items()]
    graph.replace([first, second], "BatchNormalization", [source, *constants], {"epsilon": 0.0})
    graph.forget_unused(old)
