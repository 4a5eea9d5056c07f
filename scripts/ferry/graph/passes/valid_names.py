"""Give every name in an ONNX graph a form that TensorFlow takes, the same one on every run.

onnx-tf repairs the names TensorFlow refuses by adding a random suffix, which changes the file's bytes each time.
"""

from typing import Dict

from ferry.graph import tensor_names
from ferry.graph.graph import Graph
from ferry.graph.node import Value


def make_names_valid(graph: Graph) -> bool:
    """Rename the inputs, outputs, constants and nodes whose names TensorFlow would refuse or that clash."""
    used: Dict[str, int] = {}
    changed = False
    for value in dict.fromkeys([*graph.inputs, *graph.outputs, *graph.constants]):
        name = _valid(graph, value, used)
        changed |= name != value.name
        graph.rename(value, name)
    for node in graph:
        name = tensor_names.unused(node.name, used) if node.name else ""
        changed |= name != node.name
        node.name = name
    return changed


def _valid(graph: Graph, value: Value, used: Dict[str, int]) -> str:
    name = tensor_names.unused(value.name, used)
    while not graph.is_free(name, value):
        name = tensor_names.unused(value.name, used)
    return name
