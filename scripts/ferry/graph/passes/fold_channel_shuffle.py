"""Recognise a channel shuffle, which PyTorch writes as reshape, transpose, reshape, and make it one ``Gather``.

Its transpose is of five dimensions with the channels in the middle; as a permutation of the channels alone it needs
none, in whatever layout they lie.
"""

from typing import List, Optional

import numpy as np

from ferry.graph.graph import Graph
from ferry.graph.node import Node
from ferry.graph.passes.chains import runs

SWAPPED = [0, 2, 1, 3, 4]


def fold_channel_shuffle(graph: Graph) -> bool:
    """Rewrite each shuffle of the second dimension of a static (N, C, H, W) tensor."""
    changed = False
    for run in runs(graph, [["Reshape"], ["Transpose"], ["Reshape"]]):
        order = _order(run)
        if order is None:
            continue
        channels = graph.add_constant(f"{run[-1].output.name}_channels", order)
        graph.replace(run, "Gather", [run[0].input(0), channels], {"axis": 1})
        changed = True
    return changed


def _order(run: List[Node]) -> Optional[np.ndarray]:
    """Which channel each of the shuffled ones was; ``None`` where the run does something else."""
    first, transpose, last = run
    source = first.input(0)
    before, split, after = (value.static_shape if value else None for value in (source, first.output, last.output))
    if before is None or split is None or before != after or len(before) != 4 or len(split) != len(SWAPPED):
        return None
    if transpose.attribute("perm") != SWAPPED or before != (split[0], split[1] * split[2], *split[3:]):
        return None
    return np.arange(before[1]).reshape(split[1], split[2]).T.ravel().astype(np.int64)
