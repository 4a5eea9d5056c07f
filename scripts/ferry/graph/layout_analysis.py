"""Which tensors are best laid out with their channels last."""

from typing import Set

from ferry.graph.graph import Graph
from ferry.graph.node import Value
from ferry.graph.operator_registry import Layout, layout_of


def read_channels_last(graph: Graph) -> Set[Value]:
    """The values that lead to a convolution or a pool without a change of layout on the way."""
    found: Set[Value] = set()
    for node in reversed(graph.nodes):
        layout = layout_of(node.operator)
        if layout is Layout.CHANNELS_LAST:
            found.update(value for value in node.inputs[:1] if value is not None)
        elif layout is Layout.ANY and not found.isdisjoint(node.outputs):
            found.update(value for value in node.inputs if value is not None)
    return found
