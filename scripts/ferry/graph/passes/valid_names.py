"""Give every name in an ONNX graph a form that TensorFlow takes, the same one on every run.

onnx-tf repairs the names TensorFlow refuses by adding a random suffix, which changes the file's bytes each time.
"""

from typing import Dict, Set

import onnx

from ferry.graph import tensor_names


def make_names_valid(model: onnx.ModelProto) -> None:
    """Rename, in place, the tensors and nodes whose names TensorFlow would refuse or that clash with one another."""
    graph = model.graph
    used: Set[str] = set()
    tensors: Dict[str, str] = {}
    for name in [entry.name for entry in (*graph.input, *graph.output, *graph.initializer)]:
        if name not in tensors:
            tensors[name] = tensor_names.unused(name, used)
    for entry in (*graph.input, *graph.output, *graph.initializer, *graph.value_info):
        entry.name = tensors.get(entry.name, entry.name)
    _rename_in_nodes(graph.node, tensors)
    for node in graph.node:
        node.name = tensor_names.unused(node.name, used) if node.name else ""


def _rename_in_nodes(nodes, tensors: Dict[str, str]) -> None:
    for node in nodes:
        for names in (node.input, node.output):
            for position, name in enumerate(names):
                names[position] = tensors.get(name, name)
        for attribute in node.attribute:
            for inner in [attribute.g, *attribute.graphs]:
                for output in inner.output:
                    output.name = tensors.get(output.name, output.name)
                _rename_in_nodes(inner.node, tensors)
