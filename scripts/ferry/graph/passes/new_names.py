"""Name the tensors that a pass gives other values: a tensor of the same name is held to be the same one.

Verification and bisection compare the tensors of a converted model with those of the exported one by their names. A
tensor whose channels are in another order, or are scaled, is another tensor.
"""

from typing import Iterable

from ferry.graph.graph import Graph
from ferry.graph.node import Value


def rename_changed(graph: Graph, values: Iterable[Value], how: str) -> None:
    """Call each of ``values``, none of which is an output, by a name that says ``how`` it was changed."""
    for value in dict.fromkeys(values):
        graph.rename(value, graph.fresh_name(f"{value.name}_{how}"))
