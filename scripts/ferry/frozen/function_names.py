"""Name the functions of a graph by their order, so that the same graph is the same bytes.

TensorFlow numbers them through the whole process, and lists them in no order.
"""

from typing import Dict, Iterable, Iterator

from tensorflow.core.framework.function_pb2 import FunctionDef
from tensorflow.core.framework.graph_pb2 import GraphDef
from tensorflow.core.framework.node_def_pb2 import NodeDef


def number(graph_def: GraphDef) -> None:
    """Rename, in place, the functions that the nodes of ``graph_def`` call, in the order of the calls; drop others."""
    functions = {function.signature.name: function for function in graph_def.library.function}
    names: Dict[str, str] = {}
    pending = list(_called(graph_def.node))
    while pending:
        name = pending.pop(0)
        if name in functions and name not in names:
            names[name] = f"function_{len(names)}"
            pending.extend(_called(functions[name].node_def))
    kept = [functions[name] for name in names]
    for nodes in (graph_def.node, *(function.node_def for function in kept)):
        _rename(nodes, names)
    made = [FunctionDef.FromString(function.SerializeToString()) for function in kept]
    for function in made:
        _rename_arguments(function, names[function.signature.name])
        function.signature.name = names[function.signature.name]
    del graph_def.library.function[:]
    graph_def.library.function.extend(made)


def _rename_arguments(function: FunctionDef, name: str) -> None:
    """Put ``name`` for the old one into those arguments that TensorFlow has named after the function."""
    old = function.signature.name
    arguments = {
        each.name: name + each.name[len(old) :]
        for each in function.signature.input_arg
        if each.name.startswith(f"{old}___")
    }
    for argument in function.signature.input_arg:
        argument.name = arguments.get(argument.name, argument.name)
    for node in function.node_def:
        node.input[:] = [arguments.get(each, each) for each in node.input]
    for result, source in function.ret.items():
        function.ret[result] = arguments.get(source, source)


def _called(nodes: Iterable[NodeDef]) -> Iterator[str]:
    for node in nodes:
        for key in sorted(node.attr):
            value = node.attr[key]
            yield from [value.func.name] if value.HasField("func") else [each.name for each in value.list.func]


def _rename(nodes: Iterable[NodeDef], names: Dict[str, str]) -> None:
    for node in nodes:
        for value in node.attr.values():
            for each in [value.func] if value.HasField("func") else value.list.func:
                each.name = names.get(each.name, each.name)
