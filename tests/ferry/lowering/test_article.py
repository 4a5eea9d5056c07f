"""The article's path is kept as it was, and only there to compare with."""

from collections import Counter

import numpy as np
import pytest
from onnx import helper

from converted import run_graph, run_tflite
from ferry.errors import UnsupportedModelError
from ferry.frozen import frozen_graph
from ferry.lowering import article, convert_onnx
from ferry.tflite import converter, flatbuffer
from onnx_models import model_of, normal, run_onnx


@pytest.fixture()
def depthwise():
    """A depthwise convolution, a batch norm and a relu6, as the exporter writes them."""
    attributes = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "group": 8}
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], name="conv", **attributes),
        helper.make_node("BatchNormalization", ["c", "s", "b", "m", "v"], ["n"], name="norm"),
        helper.make_node("Clip", ["n", "zero", "six"], ["y"], name="clip"),
    ]
    constants = {name: normal(seed, 8) for seed, name in enumerate("sbm")}
    constants.update(w=normal(7, 8, 1, 3, 3), v=np.abs(normal(8, 8)) + 1)
    constants.update(zero=np.float32(0), six=np.float32(6))
    return model_of(nodes, {"x": [1, 8, 8, 8]}, constants)


def test_a_depthwise_convolution_is_one_a_channel_in_nchw(depthwise):
    operators = Counter(node.op for node in article.convert(depthwise).node)
    assert operators["Conv2D"] == 8
    assert operators["DepthwiseConv2dNative"] == 0
    assert operators["Transpose"] > 1
    mine = Counter(node.op for node in convert_onnx.convert(depthwise).node)
    assert (mine["Conv2D"], mine["DepthwiseConv2dNative"]) == (0, 1)


def test_it_computes_the_same(depthwise):
    feeds = {"x": normal(1, 1, 8, 8, 8)}
    expected = run_onnx(depthwise, feeds)[0]
    graph_def = article.convert(depthwise)
    data = converter.convert(graph_def)
    assert flatbuffer.operators(data)["CONV_2D"] == 8
    for made in (run_graph(graph_def, feeds), run_tflite(data, feeds)):
        np.testing.assert_allclose(made[0], expected, rtol=0, atol=1e-5)


def test_it_is_the_same_on_each_run(depthwise):
    # A name that TensorFlow refuses, which onnx-tf repairs with a random one.
    depthwise.graph.node[0].name = "a name with spaces"
    made = [frozen_graph.to_bytes(article.convert(depthwise)) for _ in range(2)]
    assert made[0] == made[1]


def test_inputs_come_first_and_outputs_last_in_the_models_order():
    nodes = [
        helper.make_node("Add", ["b", "a"], ["z"], name="first"),
        helper.make_node("Mul", ["b", "a"], ["y"], name="second"),
    ]
    model = model_of(nodes, {"b": [1, 2], "a": [1, 2]}, outputs=["y", "z"])
    graph_def = article.convert(model)
    assert frozen_graph.input_names(graph_def) == ["b", "a"]
    assert frozen_graph.output_names(graph_def) == ["y", "z"]


def test_what_onnx_tf_lacks_is_said():
    attributes = {"kernel_shape": [2, 2], "dilations": [2, 2]}
    model = model_of(
        [helper.make_node("ConvTranspose", ["x", "w"], ["y"], **attributes)],
        {"x": [1, 1, 4, 4]},
        {"w": np.ones((1, 1, 2, 2), np.float32)},
    )
    with pytest.raises(UnsupportedModelError, match="onnx-tf alone cannot convert this model to TensorFlow"):
        article.convert(model)


def test_an_output_whose_name_is_lost_is_an_error():
    # In eval mode a dropout is its input: one node that cannot have both outputs' names.
    nodes = [helper.make_node("Relu", ["x"], ["r"], name="relu")]
    nodes += [helper.make_node("Dropout", ["r"], [name], name=name) for name in ("y", "z")]
    model = model_of(nodes, {"x": [1, 2]}, outputs=["y", "z"])
    with pytest.raises(UnsupportedModelError, match="onnx-tf alone loses the names of inputs or outputs: y"):
        article.convert(model)
