"""The functions that a model brings along, which ONNX 1.7's schema does not know, and their inlining."""

from typing import Any, Callable, Dict, Iterator, List, Mapping, NamedTuple, Tuple

import onnx
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from onnx import helper

from ferry.errors import UnsupportedModelError
from ferry.graph import onnx_node

# Domain, name, and the word that tells functions of one name apart.
Key = Tuple[str, str, str]
DEEPEST = 100
# The field of a model that holds them.
_FUNCTIONS = 25


class Function(NamedTuple):
    """One function of a model: its body, and the opset that the body is written in."""

    inputs: List[str]
    outputs: List[str]
    nodes: List[onnx.NodeProto]
    defaults: Dict[str, onnx.AttributeProto]
    opset: int


def functions_of(model: onnx.ModelProto, opset: int) -> Dict[Key, Function]:
    """The functions in ``model``; one that does not say its opset is of the model's, ``opset``."""
    if not any(field.field_number == _FUNCTIONS for field in model.UnknownFields()):
        return {}
    read = _ModelWithFunctions.FromString(model.SerializeToString())
    functions = {}
    for entry in read.functions:
        versions = [each.version for each in entry.opset_import if each.domain in ("", "ai.onnx")]
        functions[_key(entry.domain, entry.name, entry.overload)] = Function(
            list(entry.input),
            list(entry.output),
            [onnx.NodeProto.FromString(node) for node in entry.node],
            {each.name: each for each in map(onnx.AttributeProto.FromString, entry.attribute_proto)},
            max(versions, default=opset),
        )
    return functions


def key_of(node: onnx.NodeProto) -> Key:
    """Which function ``node`` calls, if it calls one."""
    overload = _NodeWithOverload.FromString(node.SerializeToString()).overload if _has_unknown(node) else ""
    return _key(node.domain, node.op_type, overload)


def _key(domain: str, name: str, overload: str) -> Key:
    return ("" if domain == "ai.onnx" else domain, name, overload)


def _has_unknown(node: onnx.NodeProto) -> bool:
    return len(node.UnknownFields()) > 0


def body(function: Function, call: onnx.NodeProto, new_name: Callable[[str], str]) -> Iterator[onnx.NodeProto]:
    """The nodes of ``function`` in place of ``call``; each name of its own is one that ``new_name`` gives.

    Raises:
        UnsupportedModelError: the call gives more inputs or asks for more outputs than the function has.
    """
    if len(call.input) > len(function.inputs) or len(call.output) > len(function.outputs):
        raise UnsupportedModelError(f"{call.op_type} {call.name!r} does not fit the model's function of that name")
    names = dict.fromkeys(function.inputs, "")
    names.update(zip(function.inputs, call.input))
    given = {entry.name: entry for entry in call.attribute}
    attributes = {**function.defaults, **given}
    stem = call.name or call.op_type
    made = {name for node in function.nodes for name in node.output}
    # What is handed through as it came, or returned twice, has more than one name outside.
    again = []
    for formal, actual in zip(function.outputs, call.output):
        if actual and formal in made and formal not in names:
            names[formal] = actual
        elif actual:
            again.append((formal, actual))
    line = onnx_node.line_of(call)
    for node in function.nodes:
        made_here = _renamed(node, names, attributes, lambda name: new_name(f"{stem}/{name}"))
        onnx_node.note_line(made_here, onnx_node.line_of(made_here) or line)
        yield made_here
    for formal, actual in again:
        source = names.get(formal, formal)
        yield onnx.NodeProto(op_type="Identity", input=[source], output=[actual], name=new_name(f"{actual}/node"))


def branch(graph: onnx.GraphProto, opset: int) -> Function:
    """The branch of an ``If`` as a function without inputs; it reads the tensors around it under their own names."""
    constants = [helper.make_node("Constant", [], [entry.name], value=entry) for entry in graph.initializer]
    return Function([], [info.name for info in graph.output], [*constants, *graph.node], {}, opset)


def _renamed(
    node: onnx.NodeProto,
    names: Dict[str, str],
    attributes: Mapping[str, onnx.AttributeProto],
    new_name: Callable[[str], str],
) -> onnx.NodeProto:
    """A copy of ``node`` under the names outside; ``names`` grows by what it makes."""
    made = onnx.NodeProto()
    made.CopyFrom(node)
    made.name = new_name(node.name or node.op_type)
    del made.input[:], made.output[:], made.attribute[:]
    made.input.extend(names.get(name, name) for name in node.input)
    for name in node.output:
        if name and name not in names:
            names[name] = new_name(name)
        made.output.append(names.get(name, name))
    for entry in node.attribute:
        chosen = attributes.get(entry.ref_attr_name) if entry.ref_attr_name else entry
        if chosen is None:
            continue
        copy = made.attribute.add()
        copy.CopyFrom(chosen)
        copy.name = entry.name
        for graph in (*([copy.g] if copy.HasField("g") else []), *copy.graphs):
            _rename_graph(graph, dict(names), attributes, new_name)
    return made


def _rename_graph(
    graph: onnx.GraphProto,
    names: Dict[str, str],
    attributes: Mapping[str, onnx.AttributeProto],
    new_name: Callable[[str], str],
) -> None:
    for info in (*graph.input, *graph.initializer):
        names[info.name] = new_name(info.name)
        info.name = names[info.name]
    nodes = [_renamed(node, names, attributes, new_name) for node in graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    del graph.value_info[:]
    for info in graph.output:
        info.name = names.get(info.name, info.name)


def _messages() -> Tuple[Any, Any]:
    """Message types for fields that newer schemas added; onnx's own messages in them are bytes, for its own parser."""
    file = descriptor_pb2.FileDescriptorProto(name="ferry/newer_onnx.proto", package="ferry.newer_onnx")
    kinds = descriptor_pb2.FieldDescriptorProto

    def message(name: str, *fields: Tuple[str, int, int, int, str]) -> None:
        made = file.message_type.add(name=name)
        for field, number, label, kind, type_name in fields:
            made.field.add(name=field, number=number, label=label, type=kind, type_name=type_name or None)

    one, many = kinds.LABEL_OPTIONAL, kinds.LABEL_REPEATED
    text, data, nested = kinds.TYPE_STRING, kinds.TYPE_BYTES, kinds.TYPE_MESSAGE
    message("Opset", ("domain", 1, one, text, ""), ("version", 2, one, kinds.TYPE_INT64, ""))
    message(
        "Function",
        ("name", 1, one, text, ""),
        ("input", 4, many, text, ""),
        ("output", 5, many, text, ""),
        ("node", 7, many, data, ""),
        ("opset_import", 9, many, nested, ".ferry.newer_onnx.Opset"),
        ("domain", 10, one, text, ""),
        ("attribute_proto", 11, many, data, ""),
        ("overload", 13, one, text, ""),
    )
    message("Model", ("functions", _FUNCTIONS, many, nested, ".ferry.newer_onnx.Function"))
    message("Node", ("overload", 8, one, text, ""))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    factory = message_factory.MessageFactory(pool)
    model, node = (pool.FindMessageTypeByName(f"ferry.newer_onnx.{name}") for name in ("Model", "Node"))
    return factory.GetPrototype(model), factory.GetPrototype(node)


_ModelWithFunctions, _NodeWithOverload = _messages()
