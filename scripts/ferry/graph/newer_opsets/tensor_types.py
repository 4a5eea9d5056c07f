"""What is known of a tensor before anything runs: its element type, rank and dimensions."""

from typing import Dict, Iterable, List, NamedTuple, Optional, Tuple

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper, shape_inference

from ferry.graph.schema import NEWEST_OPSET

TARGET_OPSET = NEWEST_OPSET

Shape = Tuple[Optional[int], ...]


class TensorType(NamedTuple):
    """``element`` is a ``TensorProto.DataType``, 0 if unknown; ``shape`` is None where not even the rank is known."""

    element: int = 0
    shape: Optional[Shape] = None

    def or_else(self, other: "TensorType") -> "TensorType":
        """This type; what it lacks is taken from ``other``."""
        if self.shape is None or other.shape is None or len(self.shape) != len(other.shape):
            return TensorType(self.element or other.element, other.shape if self.shape is None else self.shape)
        merged = tuple(mine if mine is not None else others for mine, others in zip(self.shape, other.shape))
        return TensorType(self.element or other.element, merged)


def of_value_info(info: onnx.ValueInfoProto) -> TensorType:
    """What ``info`` declares; a symbolic dimension is an unknown one."""
    tensor = info.type.tensor_type
    if not info.type.HasField("tensor_type") or not tensor.HasField("shape"):
        return TensorType(tensor.elem_type)
    shape = tuple(dim.dim_value if dim.HasField("dim_value") else None for dim in tensor.shape.dim)
    return TensorType(tensor.elem_type, shape)


def complete(info: onnx.ValueInfoProto, known: TensorType) -> None:
    """Write into ``info`` the shape that it lacks, and ONNX 1.7's checker requires, where it is known."""
    tensor = info.type.tensor_type
    if known.element and known.shape is not None and not tensor.HasField("shape"):
        info.CopyFrom(_value_info(info.name, TensorType(tensor.elem_type, known.shape)))


def of_outputs(
    node: onnx.NodeProto, inputs: Dict[str, TensorType], values: Dict[str, np.ndarray]
) -> Dict[str, TensorType]:
    """Infer the types of what ``node`` makes, by ONNX's own inference of a model of this one node.

    Args:
        node: a node in the terms of ``TARGET_OPSET``.
        inputs: what is known of the tensors it reads, those read in its subgraphs included.
        values: the values of those that are constant and small, such as the shape that a ``Reshape`` asks for.
    """
    graph = helper.make_graph([node], "node", [_value_info(name, known) for name, known in inputs.items()], [])
    # ONNX 1.7 reads only the initializers that are inputs as well.
    graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in values.items())
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", TARGET_OPSET)])
    try:
        inferred = shape_inference.infer_shapes(model).graph.value_info
    except RuntimeError:  # A node that lacks what its operator requires; ONNX's checker says so of the whole model.
        return {}
    return {info.name: of_value_info(info) for info in inferred if info.name in node.output}


def _value_info(name: str, known: TensorType) -> onnx.ValueInfoProto:
    if not known.element:
        return onnx.ValueInfoProto(name=name)
    return helper.make_tensor_value_info(name, known.element, None if known.shape is None else list(known.shape))


def names_read(node: onnx.NodeProto) -> List[str]:
    """The tensors that ``node`` reads, those that its subgraphs read from outside included, each once."""
    names = [name for name in node.input if name]
    for attribute in node.attribute:
        for graph in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
            names += _read_from_outside(graph)
    return list(dict.fromkeys(names))


def _read_from_outside(graph: onnx.GraphProto) -> Iterable[str]:
    own = {info.name for info in graph.input} | {entry.name for entry in graph.initializer}
    own.update(name for node in graph.node for name in node.output)
    read = [name for node in graph.node for name in names_read(node)]
    return (name for name in (*read, *(info.name for info in graph.output)) if name not in own)


def is_float(element: int) -> bool:
    """Whether a tensor of this element type holds real numbers of floating point."""
    return element in (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16)
