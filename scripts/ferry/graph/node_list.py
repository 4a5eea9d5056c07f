"""A graph's nodes as a whole."""

from typing import Sequence

import onnx


def has(model: onnx.ModelProto, *operators: str) -> bool:
    """Whether any node is one of ``operators``: a pass that finds none need not read the weights."""
    return any(node.op_type in operators for node in model.graph.node)


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
