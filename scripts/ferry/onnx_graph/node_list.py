"""Replace all nodes of a graph."""

from typing import Sequence

import onnx


def replace_nodes(model: onnx.ModelProto, nodes: Sequence[onnx.NodeProto]) -> None:
    """Make ``nodes``, some of which may be the graph's own, its only ones."""
    copies = []
    for node in nodes:
        # Deleting a graph's nodes takes what they hold with them.
        copy = onnx.NodeProto()
        copy.CopyFrom(node)
        copies.append(copy)
    del model.graph.node[:]
    model.graph.node.extend(copies)
