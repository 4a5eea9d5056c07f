"""float16 and bfloat16 tensors raised to float32: the only width of float that all of the later stages compute in."""

from typing import Iterable, Iterator, List, Optional

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

from ferry.errors import UnsupportedModelError

NARROW = {TensorProto.FLOAT16: "float16", TensorProto.BFLOAT16: "bfloat16"}
# By number: ONNX 1.7 has no names for them.
TOO_NARROW = {
    17: "float8e4m3fn",
    18: "float8e4m3fnuz",
    19: "float8e5m2",
    20: "float8e5m2fnuz",
    21: "uint4",
    22: "int4",
    23: "float4e2m1",
    24: "float8e8m0",
    25: "uint2",
    26: "int2",
}
# Attributes that name an element type.
ELEMENT_ATTRIBUTES = {"to", "dtype", "output_dtype", "output_datatype", "softmax_precision", "stash_type"}


def raise_to_float32(graph: onnx.GraphProto, bodies: Iterable[List[onnx.NodeProto]] = ()) -> Optional[str]:
    """Make every float16 and bfloat16 tensor of ``graph`` and of functions' ``bodies`` a float32 one, in place.

    Returns:
        The sentence that says so, or None where there was none.

    Raises:
        UnsupportedModelError: a tensor is of a type that holds fewer than 16 bits and is no byte.
    """
    found = set(_raise_graph(graph))
    for nodes in bodies:
        found.update(_raise_nodes(nodes))
    if not found:
        return None
    kinds = " and ".join(NARROW[element] for element in sorted(found))
    return f"its {kinds} tensors are raised to float32, the weights exactly"


def _raise_graph(graph: onnx.GraphProto) -> Iterator[int]:
    for tensor in graph.initializer:
        yield from _raise_tensor(tensor)
    for info in (*graph.input, *graph.output, *graph.value_info):
        element = info.type.tensor_type.elem_type
        _refuse_too_narrow(element, info.name)
        if element in NARROW:
            yield element
            info.type.tensor_type.elem_type = TensorProto.FLOAT
    yield from _raise_nodes(graph.node)


def _raise_nodes(nodes: Iterable[onnx.NodeProto]) -> Iterator[int]:
    for node in nodes:
        for entry in node.attribute:
            if entry.name in ELEMENT_ATTRIBUTES and entry.HasField("i"):
                _refuse_too_narrow(entry.i, node.name or node.op_type)
                if entry.i in NARROW:
                    yield entry.i
                    entry.i = TensorProto.FLOAT
            for tensor in (*([entry.t] if entry.HasField("t") else []), *entry.tensors):
                yield from _raise_tensor(tensor)
            for graph in (*([entry.g] if entry.HasField("g") else []), *entry.graphs):
                yield from _raise_graph(graph)


def _raise_tensor(tensor: TensorProto) -> Iterator[int]:
    _refuse_too_narrow(tensor.data_type, tensor.name)
    if tensor.data_type in NARROW:
        yield tensor.data_type
        tensor.CopyFrom(numpy_helper.from_array(array_of(tensor), tensor.name))


def array_of(tensor: TensorProto) -> np.ndarray:
    """A float16 or bfloat16 tensor as float32: each value as it is, since float32 holds them all."""
    if tensor.HasField("raw_data"):
        bits = np.frombuffer(tensor.raw_data, "<u2")
    else:
        bits = np.array(tensor.int32_data, np.int64).astype(np.uint16)
    if tensor.data_type == TensorProto.BFLOAT16:
        values = (bits.astype(np.uint32) << 16).view(np.float32)
    else:
        values = bits.view(np.float16).astype(np.float32)
    if values.size != np.prod(tensor.dims, dtype=np.int64):
        raise UnsupportedModelError(f"the constant {tensor.name!r} does not hold as many values as its shape says")
    return values.reshape(tuple(tensor.dims))


def _refuse_too_narrow(element: int, name: str) -> None:
    if element in TOO_NARROW:
        raise UnsupportedModelError(f"{name!r} is of type {TOO_NARROW[element]}, which the later stages do not know")
