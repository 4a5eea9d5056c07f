"""Serialize and check an ONNX model without a second copy of its weights.

Protobuf serializes a message into one string, and ONNX's checker parses such a string again: each is one more copy of
weights that may take 2 GB.
"""

from typing import Any, Iterator, Tuple

import onnx
from google.protobuf.message import Message

from ferry.wire_format import head

_GRAPH = onnx.ModelProto.DESCRIPTOR.fields_by_name["graph"].number
_INITIALIZER = onnx.GraphProto.DESCRIPTOR.fields_by_name["initializer"].number


def pieces(model: onnx.ModelProto) -> Iterator[bytes]:
    """The bytes of ``model.SerializeToString(deterministic=True)``, one initializer at a time."""
    sizes = [entry.ByteSize() for entry in model.graph.initializer]
    initializers = sum(len(head(_INITIALIZER, size)) + size for size in sizes)
    before, after = _around(model.graph, _INITIALIZER)
    model_before, model_after = _around(model, _GRAPH)
    yield model_before + head(_GRAPH, len(before) + initializers + len(after)) + before
    for entry, size in zip(model.graph.initializer, sizes):
        yield head(_INITIALIZER, size)
        yield entry.SerializeToString(deterministic=True)
    yield after + model_after


def check(model: onnx.ModelProto) -> None:
    """Run ONNX's checker on ``model`` with each initializer as an input of its type.

    Raises:
        onnx.checker.ValidationError: the model is not valid, or an initializer has other bytes than its shape needs.
    """
    graph = onnx.GraphProto()
    _copy(model.graph, graph, _INITIALIZER)
    fed = {info.name for info in graph.input}
    for entry in model.graph.initializer:
        _check_size(entry)
        if entry.name not in fed:
            fed.add(entry.name)
            graph.input.append(onnx.helper.make_tensor_value_info(entry.name, entry.data_type, list(entry.dims)))
    light = onnx.ModelProto()
    _copy(model, light, _GRAPH)
    light.graph.CopyFrom(graph)
    onnx.checker.check_model(light)


def _check_size(entry: onnx.TensorProto) -> None:
    if not entry.HasField("raw_data"):
        # Only raw data is long: the fields of each type take up to ten bytes a number.
        onnx.checker.check_tensor(entry)
        return
    kind = onnx.mapping.TENSOR_TYPE_TO_NP_TYPE.get(entry.data_type)
    count = 1
    for size in entry.dims:
        count *= size
    if kind is None or len(entry.raw_data) != count * kind.itemsize:
        raise onnx.checker.ValidationError(
            f"the initializer {entry.name!r} of shape {list(entry.dims)} has {len(entry.raw_data)} bytes"
        )


def _around(message: Message, left_out: int) -> Tuple[bytes, ...]:
    """``message`` serialized without the field ``left_out``: the fields of lower numbers, and those of higher ones."""
    halves = type(message)(), type(message)()
    for field, _ in message.ListFields():
        if field.number != left_out:
            _copy_field(message, halves[field.number > left_out], field)
    return tuple(half.SerializePartialToString(deterministic=True) for half in halves)


def _copy(message: Message, to: Message, left_out: int) -> None:
    for field, _ in message.ListFields():
        if field.number != left_out:
            _copy_field(message, to, field)


def _copy_field(message: Message, to: Message, field: Any) -> None:
    value = getattr(message, field.name)
    if field.label == field.LABEL_REPEATED:
        getattr(to, field.name).extend(value)
    elif field.message_type is not None:
        getattr(to, field.name).CopyFrom(value)
    else:
        setattr(to, field.name, value)
