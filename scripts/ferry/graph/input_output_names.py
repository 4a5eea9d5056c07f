"""Give an ONNX model the inputs and outputs its caller knows, each under its own name."""

from typing import Dict, List, Set

import onnx
from onnx import helper

from ferry.errors import UnsupportedModelError
from ferry.graph.subgraphs import inputs_of, subgraphs


def set_names(model: onnx.ModelProto, inputs: List[str], outputs: List[str]) -> None:
    """Rename and separate, in place, the graph's inputs and outputs so that they are ``inputs`` and ``outputs``.

    PyTorch gives a tensor that is returned twice, or is an input too, one name for all of its roles.

    Raises:
        UnsupportedModelError: the model does not read one of its inputs, which the exporter then leaves out, or an
            output does not depend on them.
    """
    graph = model.graph
    fed = fed_names(graph)
    if len(fed) < len(inputs):
        raise UnsupportedModelError(
            f"the model reads {len(fed)} of its {len(inputs)} inputs: leave the others out of get_example_input()"
        )
    _refuse_constant_outputs(graph, set(fed), outputs)
    # In two steps, since the name one input should have may be the one another has, or a weight, or a tensor inside.
    taken = set(inputs) | set(outputs)
    aside = {name: f"{name}?" for name in fed}
    for node in graph.node:
        aside.update((name, f"{name}?") for name in node.output if name in taken and name not in _ends(graph, outputs))
    aside.update((entry.name, f"{entry.name}?") for entry in graph.initializer if entry.name in taken)
    rename(graph, aside)
    rename(graph, {f"{name}?": wanted for name, wanted in zip(fed, inputs)})
    for info, name in zip(graph.output, outputs):
        if info.name != name:
            graph.node.append(helper.make_node("Identity", [info.name], [name], name=f"{name}_identity"))
            info.name = name


def fed_names(graph: onnx.GraphProto) -> List[str]:
    """The names a caller must feed: graph inputs that are not initializers."""
    weights = {entry.name for entry in graph.initializer}
    return [info.name for info in graph.input if info.name not in weights]


def rename(graph: onnx.GraphProto, new_names: Dict[str, str]) -> None:
    """Rename, in place, tensors wherever ``graph`` and the graphs inside its nodes speak of them."""
    for info in (*graph.input, *graph.output, *graph.value_info, *graph.initializer):
        info.name = new_names.get(info.name, info.name)
    for node in graph.node:
        for names in (node.input, node.output):
            for position, name in enumerate(names):
                if name in new_names:
                    names[position] = new_names[name]
        for inner in subgraphs(node):
            rename(inner, new_names)


def _ends(graph: onnx.GraphProto, outputs: List[str]) -> Set[str]:
    """The outputs that have their wanted names already."""
    return {info.name for info, name in zip(graph.output, outputs) if info.name == name}


def _refuse_constant_outputs(graph: onnx.GraphProto, fed: Set[str], outputs: List[str]) -> None:
    reached = set(fed)
    for node in graph.node:
        if not reached.isdisjoint(inputs_of(node)):
            reached.update(node.output)
    constant = [name for info, name in zip(graph.output, outputs) if info.name not in reached]
    if constant:
        raise UnsupportedModelError(
            f"{', '.join(constant)} does not depend on the model's input: it is a constant, which an app can keep "
            "without a model; return only what is computed from the input"
        )
