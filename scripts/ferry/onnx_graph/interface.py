"""Give an exported model the inputs and outputs its caller knows, each under its own name."""

from typing import List

import onnx
from onnx import helper

from ferry.errors import UnsupportedModelError


def settle(model: onnx.ModelProto, inputs: List[str], outputs: List[str]) -> None:
    """Rename and separate, in place, the graph's inputs and outputs so that they are ``inputs`` and ``outputs``.

    PyTorch gives a tensor that is returned twice, or is an input too, one name for all of its roles.

    Raises:
        UnsupportedModelError: the model does not read one of its inputs, which the exporter then leaves out.
    """
    graph = model.graph
    weights = {entry.name for entry in graph.initializer}
    fed = [info.name for info in graph.input if info.name not in weights]
    if len(fed) < len(inputs):
        raise UnsupportedModelError(
            f"the model reads {len(fed)} of its {len(inputs)} inputs: leave the others out of get_example_input()"
        )
    # In two steps, since the name one input should have may be the one another has.
    for renames in ({name: f"{name}?" for name in fed}, {f"{name}?": wanted for name, wanted in zip(fed, inputs)}):
        for old, new in renames.items():
            _rename(graph, old, new)
    for info, name in zip(graph.output, outputs):
        if info.name != name:
            graph.node.append(helper.make_node("Identity", [info.name], [name], name=f"{name}_identity"))
            info.name = name


def _rename(graph: onnx.GraphProto, old: str, new: str) -> None:
    for info in (*graph.input, *graph.output):
        if info.name == old:
            info.name = new
    for node in graph.node:
        for position, name in enumerate(node.input):
            if name == old:
                node.input[position] = new
        for attribute in node.attribute:
            if attribute.HasField("g"):
                _rename(attribute.g, old, new)
