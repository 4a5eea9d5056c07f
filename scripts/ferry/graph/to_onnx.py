"""Write the graph that the passes edited as ONNX. Here what they computed in float64 is rounded, once."""

from typing import Dict, List

import numpy as np
import onnx
from onnx import helper, numpy_helper
from onnx.mapping import NP_TYPE_TO_TENSOR_TYPE

from ferry.graph import onnx_node
from ferry.graph.graph import Graph
from ferry.graph.input_output_names import rename
from ferry.graph.node import Node, Value
from ferry.graph.subgraphs import subgraphs

# The first in which an initializer need not be an input too.
OLDEST_IR_VERSION = 4


def to_onnx(graph: Graph) -> onnx.ModelProto:
    """The graph as a model of ONNX with all of its weights."""
    model = outline(graph)
    model.graph.initializer.extend(tensor_to_onnx(value) for value in graph.constants)
    return model


def outline(graph: Graph) -> onnx.ModelProto:
    """The graph as a model of ONNX that lacks its weights: no valid one, if it has any."""
    model = onnx.ModelProto(ir_version=max(graph.ir_version, OLDEST_IR_VERSION), opset_import=opset_imports(graph))
    model.graph.name = graph.name
    model.graph.node.extend(node_to_onnx(node) for node in graph)
    model.graph.input.extend(value_to_onnx(value) for value in graph.inputs)
    model.graph.output.extend(value_to_onnx(value) for value in graph.outputs)
    return model


def opset_imports(graph: Graph) -> List[onnx.OperatorSetIdProto]:
    """The operator sets that the graph's nodes are of."""
    return [helper.make_opsetid(domain, version) for domain, version in graph.opsets.items()]


def node_to_onnx(node: Node) -> onnx.NodeProto:
    """One node, its values under their names of now, inside its subgraphs too."""
    made = onnx.NodeProto(op_type=node.operator)
    if node.name:
        made.name = node.name
    if node.domain:
        made.domain = node.domain
    onnx_node.note_line(made, node.line)
    made.input.extend(value.name if value else "" for value in node.inputs)
    made.output.extend(value.name if value else "" for value in node.outputs)
    made.attribute.extend(node.attributes.to_onnx())
    new_names: Dict[str, str] = {inner: value.name for inner, value in node.captures.items() if inner != value.name}
    if new_names:
        for graph in subgraphs(made):
            rename(graph, new_names)
    return made


def tensor_to_onnx(value: Value) -> onnx.TensorProto:
    """A constant, in the model's dtype."""
    return array_to_onnx(value.name, value.rounded())


def array_to_onnx(name: str, array: np.ndarray) -> onnx.TensorProto:
    """An array as a tensor of ONNX of its own dtype and shape."""
    return numpy_helper.from_array(np.ascontiguousarray(array).reshape(array.shape), name)


def value_to_onnx(value: Value) -> onnx.ValueInfoProto:
    """What the file states of an input or output, or what is known of another value."""
    info = onnx.ValueInfoProto(name=value.name)
    if value.declared is not None:
        info.type.CopyFrom(value.declared)
    elif value.dtype is not None:
        info.type.tensor_type.elem_type = NP_TYPE_TO_TENSOR_TYPE[value.dtype]
        if value.shape is not None:
            shape = info.type.tensor_type.shape
            # A scalar's has no dimensions, and is known all the same.
            shape.SetInParent()
            for size in value.shape:
                dim = shape.dim.add()
                if size is not None:
                    dim.dim_value = size
    return info
