import numpy as np
import pytest
from onnx import helper

from ferry.onnx_graph.fold_batch_norm import fold_batch_norm
from ferry.onnx_graph.model_file import initializers
from onnx_models import model_of, normal, run_onnx


def net(bias=True, second_reader=False, shared_weight=False):
    norm = ["scale", "shift", "mean", "variance"]
    nodes = [
        helper.make_node("Conv", ["x", "w"] + ["b"] * bias, ["c"], name="conv", kernel_shape=[3, 3]),
        helper.make_node("BatchNormalization", ["c", *norm], ["n"], name="norm", epsilon=1e-3),
        helper.make_node("Relu", ["n"], ["r"]),
    ]
    outputs = ["r"]
    if second_reader:
        nodes.append(helper.make_node("Exp", ["c"], ["e"]))
        outputs.append("e")
    if shared_weight:
        nodes.append(helper.make_node("Conv", ["x", "w"], ["d"], name="other", kernel_shape=[3, 3]))
        outputs.append("d")
    constants = {
        "w": normal(1, 4, 2, 3, 3), "b": normal(2, 4), "scale": normal(3, 4), "shift": normal(4, 4),
        "mean": normal(5, 4), "variance": np.abs(normal(6, 4)) + np.float32(0.1),
    }  # fmt: skip
    return model_of(nodes, {"x": [1, 2, 6, 6]}, constants, outputs)


def folded(**options):
    model = net(**options)
    fold_batch_norm(model)
    return model


@pytest.mark.parametrize("bias", [True, False])
def test_the_pair_becomes_one_convolution(bias):
    model = folded(bias=bias)
    assert [node.op_type for node in model.graph.node] == ["Conv", "Relu"]
    x = normal(7, 1, 2, 6, 6)
    np.testing.assert_allclose(run_onnx(model, {"x": x})[0], run_onnx(net(bias=bias), {"x": x})[0], rtol=0, atol=2e-5)


def test_the_weights_are_folded_in_float64_and_rounded_once():
    before, after = initializers(net()), initializers(folded())
    scale, variance = before["scale"].astype(np.float64), before["variance"].astype(np.float64)
    # ONNX keeps the epsilon as a float32.
    exact = before["w"] * (scale / np.sqrt(variance + np.float64(np.float32(1e-3)))).reshape(-1, 1, 1, 1)
    np.testing.assert_array_equal(after["w"], exact.astype(np.float32))
    assert after["w"].dtype == np.float32


@pytest.mark.parametrize("why", ["second_reader", "shared_weight"])
def test_it_is_left_where_folding_would_change_another_result(why):
    model = folded(**{why: True})
    assert "BatchNormalization" in [node.op_type for node in model.graph.node]
    x = normal(7, 1, 2, 6, 6)
    for made, wanted in zip(run_onnx(model, {"x": x}), run_onnx(net(**{why: True}), {"x": x})):
        np.testing.assert_array_equal(made, wanted)
