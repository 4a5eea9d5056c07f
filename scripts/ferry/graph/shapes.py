"""The shapes and dtypes that ONNX's shape inference knows: of a whole model once, then of single nodes.

Inference is given a model without its weights, which may be gigabytes.
"""

from typing import Dict, Iterable, List, NamedTuple, Optional, Sequence

import numpy as np
import onnx
from onnx import helper, shape_inference
from onnx.mapping import TENSOR_TYPE_TO_NP_TYPE

from ferry.graph.node import Node, Shape, Value
from ferry.graph.to_onnx import node_to_onnx, tensor_to_onnx, value_to_onnx

# Inference looks into no larger tensor: what a Reshape asks for has a value a dimension.
MOST_ELEMENTS = 1024


class Known(NamedTuple):
    """What is known of a value; see :class:`ferry.graph.node.Value`."""

    shape: Optional[Shape]
    dtype: Optional[np.dtype]


def infer_model(model: onnx.ModelProto) -> Dict[str, Known]:
    """What is known of each tensor of ``model``, by its name. What the file itself says of those inside is ignored."""
    return infer_declared(skeleton(model))


def static_shapes(model: onnx.ModelProto) -> Dict[str, List[int]]:
    """The shape of each tensor of ``model`` whose every dimension is known."""
    return {
        name: [size for size in known.shape if size is not None]
        for name, known in infer_model(model).items()
        if known.shape is not None and None not in known.shape
    }


def element_types(model: onnx.ModelProto) -> Dict[str, np.dtype]:
    """The dtype of each tensor of ``model`` of which it is known."""
    return {name: known.dtype for name, known in infer_model(model).items() if known.dtype is not None}


def skeleton(model: onnx.ModelProto) -> onnx.ModelProto:
    """``model`` without its weights, for shape inference.

    ONNX 1.7.0 infers nothing from an initializer that is not also a graph input, so each is declared as one; the
    values stay only of integer tensors, which may be the shape that a ``Reshape`` asks for.
    """
    made = onnx.ModelProto(ir_version=model.ir_version, opset_import=model.opset_import)
    graph = made.graph
    graph.name = model.graph.name or "graph"
    graph.node.extend(model.graph.node)
    graph.input.extend(model.graph.input)
    graph.output.extend(model.graph.output)
    declared = {entry.name for entry in graph.input}
    for entry in model.graph.initializer:
        if entry.name not in declared:
            graph.input.append(helper.make_tensor_value_info(entry.name, entry.data_type, list(entry.dims)))
        if entry.data_type in (onnx.TensorProto.INT32, onnx.TensorProto.INT64) and _is_small(entry.dims):
            graph.initializer.append(entry)
    return made


def infer_node(node: Node, opsets: Iterable[onnx.OperatorSetIdProto]) -> bool:
    """Set what is not known yet of the outputs of ``node`` from its inputs; return whether anything new is known."""
    missing = [
        value for value in node.outputs if value is not None and (value.static_shape is None or value.dtype is None)
    ]
    if not missing or node.attributes.subgraphs():
        return False
    graph = helper.make_graph(
        [node_to_onnx(node)], "node", [], [onnx.ValueInfoProto(name=value.name) for value in missing]
    )
    for value in {value: None for value in node.inputs if value is not None}:
        if value.dtype is not None:
            graph.input.append(value_to_onnx(value))
        if decides_shapes(value):
            graph.initializer.append(tensor_to_onnx(value))
    inferred = infer_declared(helper.make_model(graph, opset_imports=list(opsets)))
    found = False
    for value in missing:
        known = inferred.get(value.name, Known(None, None))
        if known.shape is not None and known.shape != value.shape:
            value.shape, found = known.shape, True
        if known.dtype is not None and value.dtype is None:
            value.dtype, found = known.dtype, True
    return found


def decides_shapes(value: Value) -> bool:
    """Whether inference is to see the value of ``value``: it is a small constant of integers."""
    return value.is_constant and value.dtype is not None and value.dtype.kind == "i" and _is_small(value.shape or ())


def _is_small(shape: Sequence[Optional[int]]) -> bool:
    return int(np.prod([size or 0 for size in shape], dtype=np.int64)) <= MOST_ELEMENTS


def infer_declared(model: onnx.ModelProto) -> Dict[str, Known]:
    """The same of a ``model`` whose initializers, if it has any, are inputs too."""
    graph = shape_inference.infer_shapes(model).graph
    found: Dict[str, Known] = {}
    for info in (*graph.input, *graph.value_info, *graph.output):
        tensor = info.type.tensor_type
        if not info.type.HasField("tensor_type"):
            continue
        shape: Optional[Shape] = None
        if tensor.HasField("shape"):
            shape = tuple(dim.dim_value if dim.HasField("dim_value") else None for dim in tensor.shape.dim)
        kind = TENSOR_TYPE_TO_NP_TYPE.get(tensor.elem_type)
        found[info.name] = Known(shape, None if kind is None else np.dtype(kind))
    return found
