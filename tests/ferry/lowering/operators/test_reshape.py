import numpy as np
import pytest
from onnx import helper

from converted import assert_converted
from ferry.lowering import convert_onnx
from ferry.tflite import flatbuffer
from onnx_models import model_of, normal


@pytest.mark.parametrize("target", [[2, 12], [-1], [0, -1], [0, 0, 2, 2], [4, -1, 2], [1, 24]])
def test_it_computes_what_onnx_runtime_does(target):
    node = helper.make_node("Reshape", ["x", "shape"], ["y"], name="reshape")
    model = model_of([node], {"x": [2, 3, 4]}, {"shape": np.array(target, np.int64)})
    data = assert_converted(model, {"x": normal(1, 2, 3, 4)})
    assert flatbuffer.operators(data) == {"RESHAPE": 1}
    assert [node.op for node in convert_onnx.convert(model).node if node.op != "Const"] == [
        "Placeholder", "Reshape", "Identity",
    ]  # fmt: skip


def test_a_product_behind_a_reshape_keeps_its_shape():
    nodes = [
        helper.make_node("Reshape", ["x", "shape"], ["r"], name="reshape"),
        helper.make_node("Mul", ["r", "c"], ["y"], name="it"),
    ]
    constants = {"shape": np.array([1, 6], np.int64), "c": normal(2, 6)}
    assert_converted(model_of(nodes, {"x": [1, 6, 1]}, constants), {"x": normal(1, 1, 6, 1)})
