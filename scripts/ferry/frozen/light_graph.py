"""A frozen graph whose large constants are not in it: they stay where they are until the graph is written.

TensorFlow holds a constant several times over while it builds or converts a graph, and looks into none that is large.
"""

from typing import Any, BinaryIO, Dict, Iterator, List, Mapping, NamedTuple, Tuple, Union

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError, Message
from tensorflow.core.framework.attr_value_pb2 import AttrValue
from tensorflow.core.framework.graph_pb2 import GraphDef
from tensorflow.core.framework.node_def_pb2 import NodeDef
from tensorflow.core.framework.tensor_pb2 import TensorProto

from ferry import wire_format
from ferry.errors import UnsupportedModelError
from ferry.wire_format import WITH_LENGTH

# No shape is computed from a constant as large as this.
LARGE_BYTES = 1 << 16
# What protobuf, and a flatbuffer, can hold.
LARGEST_FILE = (1 << 31) - 1
_NODE = GraphDef.DESCRIPTOR.fields_by_name["node"].number
_ATTRIBUTE = NodeDef.DESCRIPTOR.fields_by_name["attr"].number
_KEY, _VALUE = 1, 2
_TENSOR = AttrValue.DESCRIPTOR.fields_by_name["tensor"].number
_CONTENT = TensorProto.DESCRIPTOR.fields_by_name["tensor_content"].number
# From a node to the bytes of its constant.
_WAY = (_ATTRIBUTE, _VALUE, _TENSOR, _CONTENT)


class Held(NamedTuple):
    """A constant in memory."""

    values: np.ndarray

    @property
    def shape(self) -> Tuple[int, ...]:
        """Its shape."""
        return tuple(self.values.shape)

    @property
    def nbytes(self) -> int:
        """Its size in bytes."""
        return int(self.values.nbytes)

    def array(self) -> np.ndarray:
        """Its values, which lie in order."""
        return np.ascontiguousarray(self.values)


class Stored(NamedTuple):
    """A constant in the open ``file``, from ``offset`` on."""

    file: BinaryIO
    offset: int
    shape: Tuple[int, ...]
    dtype: np.dtype

    @property
    def nbytes(self) -> int:
        """Its size in bytes."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize

    def array(self) -> np.ndarray:
        """Its values, read anew each time."""
        made = np.empty(self.shape, self.dtype)
        self.file.seek(self.offset)
        # typing's BinaryIO lacks the method.
        file: Any = self.file
        if file.readinto(memoryview(made.reshape(-1)).cast("B")) != made.nbytes:
            raise OSError(f"{self.file.name} was cut short while it was read")
        return made


Constant = Union[Held, Stored]


class LightGraph(NamedTuple):
    """``graph_def`` has the dtypes and shapes alone of the ``constants``, which are given by node name."""

    graph_def: GraphDef
    constants: Mapping[str, Constant]

    def whole(self) -> GraphDef:
        """The graph with its constants."""
        made = GraphDef()
        made.CopyFrom(self.graph_def)
        for node in made.node:
            if node.name in self.constants:
                fill(node, self.constants[node.name].array())
        return made


def fill(node: NodeDef, array: np.ndarray) -> None:
    """Give the constant ``node``, in place, the values ``array``."""
    shape = node.attr["value"].tensor.tensor_shape
    filled = TensorProto(dtype=node.attr["dtype"].type, tensor_shape=shape, tensor_content=array.tobytes())
    node.attr["value"].tensor.CopyFrom(filled)


def pieces(light: LightGraph) -> Iterator[Any]:
    """The bytes of the whole graph, as ``frozen_graph.to_bytes`` gives them, with no second copy of a constant.

    Raises:
        UnsupportedModelError: the file would be larger than protobuf can read.
    """
    heads = [_node_head(node, light.constants) for node in light.graph_def.node]
    rest = GraphDef()
    for field, value in light.graph_def.ListFields():
        if field.number != _NODE:
            _copy_field(rest, field.name, value)
    sizes = [len(start) + size for start, size in heads]
    total = sum(len(wire_format.head(_NODE, size)) + size for size in sizes)
    if total > LARGEST_FILE:
        raise UnsupportedModelError(
            f"the frozen graph would take {total / 1e9:.1f} GB; TensorFlow reads no more than 2 GB, and TFLite neither"
        )
    for node, (start, _), size in zip(light.graph_def.node, heads, sizes):
        yield wire_format.head(_NODE, size) + start
        if node.name in light.constants:
            yield memoryview(light.constants[node.name].array().reshape(-1)).cast("B")
    yield rest.SerializeToString(deterministic=True)


def _node_head(node: NodeDef, constants: Mapping[str, Constant]) -> Tuple[bytes, int]:
    """The bytes of ``node`` that stand before those of its constant, and how many those are."""
    if node.name not in constants:
        return node.SerializeToString(deterministic=True), 0
    if max(node.attr) != "value" or node.HasField("experimental_debug_info"):
        raise ValueError(f"the constant {node.name} has fields behind its value")
    others = NodeDef()
    others.CopyFrom(node)
    del others.attr["value"]
    size = constants[node.name].nbytes
    tensor = TensorProto(dtype=node.attr["dtype"].type, tensor_shape=node.attr["value"].tensor.tensor_shape)
    inner = tensor.SerializeToString(deterministic=True) + wire_format.head(_CONTENT, size)
    # From the inside out, each message with the length that its content will give it.
    inner = wire_format.head(_TENSOR, len(inner) + size) + inner
    key = b"value"
    inner = wire_format.head(_KEY, len(key)) + key + wire_format.head(_VALUE, len(inner) + size) + inner
    inner = wire_format.head(_ATTRIBUTE, len(inner) + size) + inner
    return others.SerializeToString(deterministic=True) + inner, size


def _copy_field(to: Message, name: str, value: Any) -> None:
    if isinstance(value, Message):
        getattr(to, name).CopyFrom(value)
    else:
        setattr(to, name, value)


def read(file: BinaryIO, size: int) -> LightGraph:
    """The graph in the open ``file`` of ``size`` bytes; its large constants of float32 are left there.

    Raises:
        DecodeError: it is no graph, or is cut short.
        ValueError: a constant has other bytes than its shape needs.
    """
    graph_def, rest = GraphDef(), bytearray()
    constants: Dict[str, Constant] = {}
    for field in wire_format.fields(file, 0, size):
        if field.number != _NODE or field.wire_type != WITH_LENGTH:
            rest += _bytes(file, field.start, field.end)
            continue
        contents: List[Tuple[int, int]] = []
        node = graph_def.node.add()
        node.ParseFromString(_without_content(file, field.content, field.end, _WAY, contents))
        if contents:
            _take(node, file, contents[-1], constants)
    graph_def.MergeFromString(bytes(rest))
    return LightGraph(graph_def, constants)


def _take(node: NodeDef, file: BinaryIO, content: Tuple[int, int], constants: Dict[str, Constant]) -> None:
    tensor, (offset, size) = node.attr["value"].tensor, content
    if node.op != "Const" or tensor.dtype != tf.float32.as_datatype_enum:
        tensor.tensor_content = _bytes(file, offset, offset + size)
        return
    shape = tf.TensorShape(tensor.tensor_shape)
    kept = Stored(file, offset, tuple(shape.as_list()), np.dtype(np.float32))
    if size != kept.nbytes:
        raise ValueError(f"the constant {node.name} of shape {shape} has {size} bytes")
    constants[node.name] = kept


def _without_content(
    file: BinaryIO, start: int, end: int, way: Tuple[int, ...], contents: List[Tuple[int, int]]
) -> bytes:
    """The message in ``file`` without the field at the end of ``way``, if it is large: ``contents`` gets its place."""
    if end - start < LARGE_BYTES:
        return _bytes(file, start, end)
    made = bytearray()
    for field in wire_format.fields(file, start, end):
        if field.number != way[0] or field.wire_type != WITH_LENGTH or field.end - field.content < LARGE_BYTES:
            made += _bytes(file, field.start, field.end)
        elif len(way) == 1:
            contents.append((field.content, field.end - field.content))
        else:
            inner = _without_content(file, field.content, field.end, way[1:], contents)
            made += wire_format.head(field.number, len(inner)) + inner
    return bytes(made)


def _bytes(file: BinaryIO, start: int, end: int) -> bytes:
    file.seek(start)
    data = file.read(end - start)
    if len(data) != end - start:
        raise DecodeError("cut short")
    return data
