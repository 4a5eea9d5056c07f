"""Damage sound files: their bytes, as a disk does, or the model in them, as an exporter with a bug does."""

from typing import Callable, List, Sequence

import numpy as np
import onnx
from onnx import helper, numpy_helper

ODD_NUMBERS = [-(2**63), -7, -2, -1, 0, 1, 2, 3, 5, 64, 2**31, 2**62]
ODD_TEXTS = [b"", b"NOTSET", b"SAME_UPPER", b"SAME_LOWER", b"VALID", b"linear", b"cubic", b"reverse", b"edge", b"\xff"]
ODD_TYPES = [onnx.TensorProto.FLOAT, onnx.TensorProto.INT64, onnx.TensorProto.DOUBLE, onnx.TensorProto.BOOL]

OTHER_OPERATORS = ["Relu", "Flatten", "Softmax", "Transpose", "Identity", "Concat", "ReduceMean", "Squeeze", "MatMul"]


def damaged_bytes(seed: int, samples: Sequence[bytes]) -> bytes:
    """One of ``samples`` with bits flipped, bytes overwritten, or pieces cut out, doubled or taken from another."""
    draw = np.random.RandomState(seed)
    data = bytearray(samples[draw.randint(len(samples))])
    for _ in range(1 + draw.randint(4)):
        if not data:
            break
        start = draw.randint(len(data))
        length = 1 + draw.randint(min(64, len(data)))
        kind = draw.randint(7)
        if kind == 0:
            data[start] ^= 1 << draw.randint(8)
        elif kind == 1:
            data[start] = draw.randint(256)
        elif kind == 2:
            data[start : start + 8] = bytes([(0, 0x7F, 0x80, 0xFF)[draw.randint(4)]]) * min(8, len(data) - start)
        elif kind == 3:
            del data[start : start + length]
        elif kind == 4:
            data[start:start] = data[start : start + length]
        elif kind == 5:
            del data[start:]
        else:
            other = samples[draw.randint(len(samples))]
            begin = draw.randint(len(other))
            data[start : start + length] = other[begin : begin + length]
    return bytes(data)


def damaged_model(seed: int, samples: Sequence[bytes]) -> bytes:
    """One of the ONNX models ``samples``, a readable file still, with one to three odd things in it.

    The sizes that it declares of its outputs go: they would be wrong, and hide all that comes after.
    """
    draw = np.random.RandomState(seed)
    model = onnx.load_model_from_string(samples[draw.randint(len(samples))])
    for info in model.graph.output:
        if info.type.HasField("tensor_type"):
            for dim in info.type.tensor_type.shape.dim:
                dim.Clear()
    for _ in range(1 + draw.randint(3)):
        CHANGES[draw.randint(len(CHANGES))](draw, model.graph)
    return model.SerializeToString()


def _change_attribute(draw: np.random.RandomState, graph: onnx.GraphProto) -> None:
    entry = _any(draw, [entry for node in graph.node for entry in node.attribute])
    if entry is None:
        return
    if entry.type == onnx.AttributeProto.INT:
        entry.i = ODD_NUMBERS[draw.randint(len(ODD_NUMBERS))]
    elif entry.type == onnx.AttributeProto.FLOAT:
        entry.f = [0.0, -1.0, float("nan"), float("inf"), 1e-30][draw.randint(5)]
    elif entry.type == onnx.AttributeProto.STRING:
        entry.s = ODD_TEXTS[draw.randint(len(ODD_TEXTS))]
    elif entry.type == onnx.AttributeProto.INTS and draw.randint(3) and entry.ints:
        entry.ints[draw.randint(len(entry.ints))] = ODD_NUMBERS[draw.randint(len(ODD_NUMBERS))]
    elif entry.type == onnx.AttributeProto.INTS:
        entry.ints.append(1) if draw.randint(2) or not entry.ints else entry.ints.pop()


def _drop_attribute(draw: np.random.RandomState, graph: onnx.GraphProto) -> None:
    node = _any(draw, [node for node in graph.node if node.attribute])
    if node is not None:
        del node.attribute[draw.randint(len(node.attribute))]


def _change_initializer(draw: np.random.RandomState, graph: onnx.GraphProto) -> None:
    entry = _any(draw, graph.initializer)
    if entry is None or entry.data_type == onnx.TensorProto.STRING:
        return
    array = numpy_helper.to_array(entry)
    changed = [
        lambda: array.reshape(-1),
        lambda: array[None],
        lambda: array.T,
        lambda: array[:-1] if array.ndim else array,
        lambda: array.astype(np.float32 if array.dtype.kind == "i" else np.int64),
        lambda: np.zeros_like(array),
        lambda: -array if array.dtype.kind in "if" else array,
        lambda: np.concatenate([array, array]) if array.ndim else array,
    ][draw.randint(8)]()
    entry.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(changed).reshape(changed.shape), entry.name))


def _change_input(draw: np.random.RandomState, graph: onnx.GraphProto) -> None:
    info = _any(draw, [info for info in graph.input if info.type.HasField("tensor_type")])
    if info is None:
        return
    tensor = info.type.tensor_type
    kind = draw.randint(5)
    if kind == 0:
        tensor.elem_type = ODD_TYPES[draw.randint(len(ODD_TYPES))]
    elif kind == 1:
        tensor.ClearField("shape")
    elif kind == 2 or not tensor.shape.dim:
        tensor.shape.dim.add().dim_value = 2
    elif kind == 3:
        tensor.shape.dim.pop()
    else:
        dim = tensor.shape.dim[draw.randint(len(tensor.shape.dim))]
        dim.Clear()
        if draw.randint(3):
            dim.dim_value = [0, 1, 2, 7][draw.randint(4)]


def _change_operand(draw: np.random.RandomState, graph: onnx.GraphProto) -> None:
    node = _any(draw, [node for node in graph.node if node.input])
    names = [info.name for info in (*graph.input, *graph.initializer)]
    if node is None or not names:
        return
    position = draw.randint(len(node.input))
    if draw.randint(3) == 0:
        del node.input[position:]
    else:
        node.input[position] = ["", names[draw.randint(len(names))]][draw.randint(2)]


def _change_operator(draw: np.random.RandomState, graph: onnx.GraphProto) -> None:
    node = _any(draw, graph.node)
    if node is not None:
        node.op_type = OTHER_OPERATORS[draw.randint(len(OTHER_OPERATORS))]


def _append_node(draw: np.random.RandomState, graph: onnx.GraphProto) -> None:
    """An operator on what was an output, which takes its name: a pass looks at what stands beside a node."""
    info = _any(draw, graph.output)
    maker = next((node for node in graph.node if info is not None and info.name in node.output), None)
    if info is None or maker is None:
        return
    inner = f"{info.name}_inner"
    maker.output[list(maker.output).index(info.name)] = inner
    name = ["Relu", "Flatten", "Transpose", "GlobalAveragePool", "Softmax", "Squeeze"][draw.randint(6)]
    graph.node.append(helper.make_node(name, [inner], [info.name], name="appended"))


def _any(draw: np.random.RandomState, entries):
    return entries[draw.randint(len(entries))] if len(entries) else None


CHANGES: List[Callable[[np.random.RandomState, onnx.GraphProto], None]] = [
    _change_attribute, _change_attribute, _drop_attribute, _change_initializer, _change_input, _change_operand,
    _change_operator, _append_node,
]  # fmt: skip
