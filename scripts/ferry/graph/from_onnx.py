"""Read an ONNX model into the graph that the passes edit."""

from typing import Dict, List, Optional

import onnx
from onnx.mapping import TENSOR_TYPE_TO_NP_TYPE

from ferry.errors import UnsupportedModelError, first_line
from ferry.graph import onnx_node, shapes
from ferry.graph.attributes import Attributes
from ferry.graph.graph import Graph
from ferry.graph.node import Node, Value
from ferry.graph.subgraphs import names_in, read_in


def from_onnx(model: onnx.ModelProto, take_over: bool = False) -> Graph:
    """The graph of a checked ``model``, with the shapes and dtypes that can be inferred.

    Args:
        take_over: whether the weights may be taken out of ``model``, so that the graph alone holds them.

    An initializer that is an input too, as all were before IR version 4, is a constant: no caller feeds it.

    Raises:
        UnsupportedModelError: it has sparse initializers.
    """
    proto = model.graph
    if proto.sparse_initializer:
        raise UnsupportedModelError("the model keeps weights as sparse tensors, which Ferry does not convert")
    graph = Graph(
        proto.name or "graph", {entry.domain: entry.version for entry in model.opset_import}, model.ir_version
    )
    try:
        inferred = shapes.infer_model(model)
    except RuntimeError as error:  # As pybind11 raises what C++ throws.
        raise UnsupportedModelError(
            f"ONNX finds the model's shapes at odds with one another: {first_line(error)}"
        ) from error
    initializers = {entry.name for entry in proto.initializer}
    for info in proto.input:
        if info.name not in initializers:
            value = _value(graph, info.name, inferred)
            value.declared = _type_of(info)
            graph.inputs.append(value)
    for entry in _taken_over(proto) if take_over else proto.initializer:
        value = graph.add_value(entry.name, entry.dims, TENSOR_TYPE_TO_NP_TYPE[entry.data_type])
        graph.keep_constant(value, entry)
    for node in proto.node:
        _append(graph, node, inferred)
    for info in proto.output:
        value = _known(graph, info.name)
        value.declared = _type_of(info)
    graph.set_outputs([_known(graph, info.name) for info in proto.output])
    return graph


def _value(graph: Graph, name: str, inferred: Dict[str, shapes.Known]) -> Value:
    shape, dtype = inferred.get(name, (None, None))
    value = graph.add_value(name, shape, dtype)
    if value.name != name:
        raise ValueError(f"{name!r} is the name of two values")
    return value


def _known(graph: Graph, name: str) -> Value:
    value = graph.find(name)
    if value is None:
        raise ValueError(f"nothing makes {name!r}")
    return value


def _append(graph: Graph, proto: onnx.NodeProto, inferred: Dict[str, shapes.Known]) -> Node:
    inputs: List[Optional[Value]] = [_known(graph, name) if name else None for name in proto.input]
    outputs = [_value(graph, name, inferred) if name else None for name in proto.output]
    node = graph.insert(proto.op_type, inputs, outputs, Attributes(proto.attribute), proto.name, proto.domain)
    node.line = onnx_node.line_of(proto)
    for inner in node.attributes.subgraphs():
        graph.reserve(name for name in names_in(inner) if graph.find(name) is None)
        for name in sorted(read_in(inner)):
            value = graph.find(name)
            if value is not None:
                node.capture(name, value)
    return node


def _type_of(info: onnx.ValueInfoProto) -> onnx.TypeProto:
    copy = onnx.TypeProto()
    copy.CopyFrom(info.type)
    return copy


def _taken_over(proto: onnx.GraphProto) -> List[onnx.TensorProto]:
    """The initializers, each on its own: one that is part of a model keeps all of that in memory."""
    entries = []
    while proto.initializer:
        entries.append(proto.initializer[-1])
        del proto.initializer[-1]
    return entries[::-1]
