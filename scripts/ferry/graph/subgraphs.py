"""What the graphs inside a node (If, Loop, Scan) have to do with the graph around them."""

from typing import Iterator, List, Set

import onnx


def subgraphs(node: onnx.NodeProto) -> List[onnx.GraphProto]:
    """The graphs that the node's attributes are."""
    return [graph for entry in node.attribute for graph in ([entry.g] if entry.HasField("g") else entry.graphs)]


def inputs_of(node: onnx.NodeProto) -> Set[str]:
    """The tensors ``node`` reads, those read inside its subgraphs included, and some that are made there too."""
    names = {name for name in node.input if name}
    for graph in subgraphs(node):
        names |= read_in(graph)
    return names


def read_in(graph: onnx.GraphProto) -> Set[str]:
    """The names that a subgraph, and those inside it, read."""
    names = {output.name for output in graph.output}
    for inner in graph.node:
        names |= inputs_of(inner)
    return names


def names_in(graph: onnx.GraphProto) -> Iterator[str]:
    """All names that a subgraph, and those inside it, speak of."""
    yield from (entry.name for entry in (*graph.input, *graph.output, *graph.initializer))
    for node in graph.node:
        yield from (*node.input, *node.output)
        for inner in subgraphs(node):
            yield from names_in(inner)
