"""Faults planted in an artifact, each a small edit of the kind that a converter, or an editor, gets wrong.

Of each kind one place is drawn with a seed. A fault says what it is, and gives the artifact's bytes with it.
"""

import struct
from typing import Callable, Dict, Iterator, List, NamedTuple, Optional, Tuple

import numpy as np
import onnx
import tflite as schema
from onnx import helper, numpy_helper

from ferry.frozen.frozen_graph import GraphDef
from ferry.graph.attributes import attribute

# What is done to a weight, and to how much of it: (name, change).
SIGN, PERCENT, ZERO = "sign flipped", "1 % larger", "zero"
CHANGES: Dict[str, Callable[[np.ndarray], np.ndarray]] = {
    SIGN: lambda values: -values,
    PERCENT: lambda values: values * np.float32(1.01),
    ZERO: lambda values: values * np.float32(0),
}
BIAS_SHARE = np.float32(1.001)
SMALLEST_WEIGHTS = 16

# Where an operator's options have the fused activation, by what options they are.
FUSED_ACTIVATION = {
    schema.BuiltinOptions.AddOptions: 4,
    schema.BuiltinOptions.Conv2DOptions: 10,
    schema.BuiltinOptions.DepthwiseConv2DOptions: 12,
    schema.BuiltinOptions.FullyConnectedOptions: 4,
}


class Fault(NamedTuple):
    """A fault in words, and the artifact that has it."""

    kind: str
    data: bytes


def in_onnx(data: bytes, seed: int) -> Iterator[Fault]:
    """Faults in the ONNX model ``data``."""
    generator = np.random.RandomState(seed)
    model = onnx.load_model_from_string(data)
    for kind, array, position in _weight_faults(
        [numpy_helper.to_array(entry) for entry in model.graph.initializer], generator
    ):
        copy = _copied(model)
        entry = copy.graph.initializer[position]
        entry.CopyFrom(numpy_helper.from_array(array, entry.name))
        yield Fault(kind, copy.SerializeToString(deterministic=True))
    for position, node in enumerate(model.graph.node):
        for kind, edit in NODE_FAULTS.get(node.op_type, []):
            copy = _copied(model)
            if edit(copy, position):
                yield Fault(kind, copy.SerializeToString(deterministic=True))


def in_graph(data: bytes, seed: int) -> Iterator[Fault]:
    """Faults in the frozen graph ``data``: in its constants, and ReLU6 for ReLU."""
    import tensorflow as tf

    generator = np.random.RandomState(seed)
    graph = GraphDef.FromString(data)
    places = [at for at, node in enumerate(graph.node) if node.op == "Const" and node.attr["dtype"].type == 1]
    arrays = [tf.make_ndarray(graph.node[at].attr["value"].tensor) for at in places]
    for kind, array, position in _weight_faults(arrays, generator):
        copy = GraphDef.FromString(data)
        copy.node[places[position]].attr["value"].tensor.CopyFrom(tf.make_tensor_proto(array))
        yield Fault(kind, copy.SerializeToString(deterministic=True))
    for at, node in enumerate(graph.node):
        if node.op == "Relu":
            copy = GraphDef.FromString(data)
            copy.node[at].op = "Relu6"
            yield Fault("ReLU6 for ReLU", copy.SerializeToString(deterministic=True))
            break


def in_tflite(data: bytes, seed: int) -> Iterator[Fault]:
    """Faults in the TFLite model ``data``: in its buffers, and ReLU6 for a fused ReLU."""
    generator = np.random.RandomState(seed)
    model = schema.Model.GetRootAsModel(data, 0)
    graph = model.Subgraphs(0)
    held: List[Tuple[int, np.ndarray]] = []
    for position in range(graph.TensorsLength()):
        tensor = graph.Tensors(position)
        buffer = model.Buffers(tensor.Buffer())
        if tensor.Type() == schema.TensorType.FLOAT32 and buffer.DataLength():
            where = buffer._tab.Vector(buffer._tab.Offset(4))
            held.append((where, buffer.DataAsNumpy().view(np.float32).reshape(tensor.ShapeAsNumpy())))
    for kind, array, position in _weight_faults([array for _, array in held], generator):
        made = bytearray(data)
        where = held[position][0]
        made[where : where + array.nbytes] = array.astype(np.float32).tobytes()
        yield Fault(kind, bytes(made))
    relu = _with_fused_relu6(data, model)
    if relu is not None:
        yield Fault("ReLU6 for ReLU", relu)


def _with_fused_relu6(data: bytes, model: schema.Model) -> Optional[bytes]:
    graph = model.Subgraphs(0)
    for position in range(graph.OperatorsLength()):
        operator = graph.Operators(position)
        kind = operator.BuiltinOptionsType()
        field = FUSED_ACTIVATION.get(kind)
        options = operator.BuiltinOptions()
        where = options.Offset(field) if options is not None and field is not None else 0
        if where and data[options.Pos + where] == schema.ActivationFunctionType.RELU:
            made = bytearray(data)
            struct.pack_into("<b", made, options.Pos + where, schema.ActivationFunctionType.RELU6)
            return bytes(made)
    return None


def _weight_faults(arrays: List[np.ndarray], generator: np.random.RandomState) -> Iterator[Tuple[str, np.ndarray, int]]:
    """What each fault is, the array that has it, and which of the ``arrays`` that is."""
    floats = [at for at, array in enumerate(arrays) if array.dtype == np.float32 and array.size]
    weights = [at for at in floats if arrays[at].ndim >= 2 and arrays[at].size >= SMALLEST_WEIGHTS]
    biases = [at for at in floats if arrays[at].ndim == 1 and np.abs(arrays[at]).max() > 0 and arrays[at].size > 1]
    if weights:
        for kind, change in CHANGES.items():
            at = weights[generator.randint(len(weights))]
            # Of the smaller half none is taken: what is next to nothing changes nothing.
            sizes = np.abs(arrays[at]).ravel()
            place = np.flatnonzero(sizes >= np.median(sizes))
            index = place[generator.randint(len(place))]
            yield f"one weight {kind}", _changed(arrays[at], np.array([index]), change), at
            rows = arrays[at].reshape(arrays[at].shape[0], -1)
            row = generator.randint(len(rows))
            whole = np.arange(row * rows.shape[1], (row + 1) * rows.shape[1])
            if np.abs(rows[row]).max() > 0:
                yield f"one row of weights {kind}", _changed(arrays[at], whole, change), at
        at = weights[generator.randint(len(weights))]
        narrow = arrays[at].astype(np.float16).astype(np.float32)
        if (narrow != arrays[at]).any():
            yield "weights in float16", narrow, at
    if biases:
        at = biases[generator.randint(len(biases))]
        largest = np.array([int(np.abs(arrays[at]).argmax())])
        yield "one bias 0.1 % larger", _changed(arrays[at], largest, lambda values: values * BIAS_SHARE), at
    classes = [at for at in biases if arrays[at][0] != arrays[at][1]]
    if classes:
        swapped = arrays[classes[-1]].copy()
        swapped[[0, 1]] = swapped[[1, 0]]
        yield "a swapped pair of classes", swapped, classes[-1]


def _changed(array: np.ndarray, index: np.ndarray, change: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    made = np.array(array)
    flat = made.reshape(-1)
    flat[index] = change(flat[index])
    return made


def _copied(model: onnx.ModelProto) -> onnx.ModelProto:
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    return copy


def _set(node: onnx.NodeProto, name: str, value) -> None:
    kept = [entry for entry in node.attribute if entry.name != name]
    del node.attribute[:]
    node.attribute.extend([*kept, helper.make_attribute(name, value)])


def _attribute_fault(name: str, change: Callable[[onnx.NodeProto], Optional[object]]):
    def edit(model: onnx.ModelProto, position: int) -> bool:
        node = model.graph.node[position]
        value = change(node)
        if value is not None:
            _set(node, name, value)
        return value is not None

    return edit


def _clamped(low: float, high: float):
    """A clamp of what the node makes."""

    def edit(model: onnx.ModelProto, position: int) -> bool:
        node = model.graph.node[position]
        name = node.output[0]
        node.output[0] = f"{name}_unclamped"
        for entry, value in (("low", low), ("high", high)):
            array = np.array(value, np.float32)
            model.graph.initializer.append(numpy_helper.from_array(array, f"{name}_{entry}"))
        ends = [f"{name}_low", f"{name}_high"]
        model.graph.node.insert(position + 1, helper.make_node("Clip", [node.output[0], *ends], [name]))
        return True

    return edit


def _branch(model: onnx.ModelProto, position: int) -> bool:
    """The second branch of a ``Where`` for both."""
    node = model.graph.node[position]
    node.input[1] = node.input[2]
    return True


def _shifted_pads(node: onnx.NodeProto) -> Optional[List[int]]:
    pads = attribute(node, "pads", [])
    if len(pads) == 4 and pads[0] == pads[2] > 0:
        return [pads[0] - 1, pads[1], pads[2] + 1, pads[3]]
    return None


def _counted(node: onnx.NodeProto) -> Optional[int]:
    return 1 - attribute(node, "count_include_pad", 0) if any(attribute(node, "pads", [])) else None


_EPSILON = ("epsilon 1.3e-5 for 1e-5", _attribute_fault("epsilon", lambda node: 1.3e-5))
NODE_FAULTS: Dict[str, List[Tuple[str, Callable[[onnx.ModelProto, int], bool]]]] = {
    "AveragePool": [("an average over its padding, or not", _attribute_fault("count_include_pad", _counted))],
    "Conv": [("padding moved by one", _attribute_fault("pads", _shifted_pads)), ("a clamp to 3", _clamped(-3.0, 3.0))],
    "InstanceNormalization": [_EPSILON],
    "Relu": [("ReLU6 for ReLU", _clamped(-1.0, 6.0))],
    "Resize": [
        ("half-pixel centres", _attribute_fault(
            "coordinate_transformation_mode",
            lambda node: None if attribute(node, "coordinate_transformation_mode", b"half_pixel") != b"asymmetric"
            or attribute(node, "mode", b"nearest") == b"nearest" else "half_pixel"))
    ],
    "Softmax": [("another axis", _attribute_fault("axis", lambda node: 0))],
    "Where": [("a missing branch", _branch)],
}  # fmt: skip
