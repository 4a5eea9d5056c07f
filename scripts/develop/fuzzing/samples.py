"""Small sound files, to be damaged."""

import os
import subprocess
import sys
import tempfile
from typing import List

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from develop.operator_coverage import cases


def onnx_models() -> List[bytes]:
    """Some models that together hold the fields and operators that most models have."""
    return [_network(11), _network(9), _shapes()]


def operator_models() -> List[bytes]:
    """ONNX's own tests of its operators, with all inputs fed and with those constant that PyTorch exports so."""
    return [cases.load(case).model.SerializeToString() for case in cases.all_cases()]


def frozen_graphs() -> List[bytes]:
    """What ``onnx_to_tf`` makes of them, in a process of its own: TensorFlow, once at work, must not be forked."""
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir, "onnx_to_tf.py")
    made = []
    with tempfile.TemporaryDirectory(prefix="ferry-fuzz-") as folder:
        source, target = os.path.join(folder, "m.onnx"), os.path.join(folder, "m.pb")
        for data in onnx_models():
            with open(source, "wb") as file:
                file.write(data)
            subprocess.run(
                [sys.executable, program, "--input", source, "--output", target], check=True, stdout=subprocess.DEVNULL
            )
            with open(target, "rb") as file:
                made.append(file.read())
    return made


def _network(opset: int) -> bytes:
    draw = np.random.RandomState(0)
    weights = {
        "w": draw.randn(4, 3, 3, 3),
        "scale": draw.rand(4),
        "shift": draw.randn(4),
        "mean": draw.randn(4),
        "variance": draw.rand(4) + 1,
        "matrix": draw.randn(16, 5),
        "bias": draw.randn(5),
    }
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], name="conv", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        helper.make_node("BatchNormalization", ["a", "scale", "shift", "mean", "variance"], ["b"], name="norm"),
        helper.make_node("Relu", ["b"], ["c"], name="relu"),
        helper.make_node("MaxPool", ["c"], ["d"], name="pool", kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Flatten", ["d"], ["e"], name="flatten"),
        helper.make_node("Gemm", ["e", "matrix", "bias"], ["f"], name="gemm"),
        helper.make_node("Softmax", ["f"], ["y"], name="softmax", axis=1),
    ]
    return _serialized(nodes, [1, 3, 4, 4], [1, 5], weights, opset)


def _shapes() -> bytes:
    nodes = [
        helper.make_node("Shape", ["x"], ["s"], name="shape"),
        helper.make_node("Constant", [], ["one"], name="one", value=numpy_helper.from_array(np.array([1], np.int64))),
        helper.make_node("Gather", ["s", "one"], ["n"], name="gather"),
        helper.make_node("Concat", ["one", "n", "rest"], ["to"], name="concat", axis=0),
        helper.make_node("Reshape", ["x", "to"], ["r"], name="reshape"),
        helper.make_node("Transpose", ["r"], ["t"], name="transpose", perm=[0, 2, 1]),
        helper.make_node("ReduceMean", ["t"], ["y"], name="mean", axes=[1], keepdims=0),
    ]
    return _serialized(nodes, [1, 3, 4, 4], [1, 3], {"rest": np.array([-1])}, 11)


def _serialized(nodes, shape, out, weights, opset: int) -> bytes:
    graph = helper.make_graph(
        nodes,
        "sample",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, out)],
        [
            numpy_helper.from_array(array.astype(np.int64 if array.dtype.kind == "i" else np.float32), name)
            for name, array in weights.items()
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    model.ir_version = 6
    onnx.checker.check_model(model)
    return model.SerializeToString()
