"""Who takes a node, and what is said where nobody does, or where Ferry itself fails."""

import numpy as np
import pytest
from onnx import helper

from converted import assert_converted
from ferry.errors import UnsupportedModelError
from ferry.graph import operator_registry
from ferry.lowering import convert_onnx
from ferry.lowering.declined import Declined
from onnx_models import model_of, normal


def convert(node, shape, constants=None):
    return convert_onnx.convert(model_of([node], {"x": shape}, constants))


def dilated():
    node = helper.make_node("ConvTranspose", ["x", "w"], ["y"], name="up", kernel_shape=[2, 2], dilations=[2, 2])
    return convert(node, [1, 1, 4, 4], {"w": np.ones((1, 1, 2, 2), np.float32)})


def test_why_ferry_declined_is_what_the_user_reads_where_onnx_tf_fails_too():
    with pytest.raises(UnsupportedModelError) as raised:
        dilated()
    said = "the ONNX operator ConvTranspose (node 'up') cannot be converted to TensorFlow: it is dilated"
    assert str(raised.value) == said
    assert "onnx-tf 1.6.0 refuses it" in str(raised.value.__cause__)


def put(monkeypatch, operator, *lowerings):
    monkeypatch.setitem(operator_registry.LOWERINGS, operator, dict(enumerate(lowerings)))


def test_what_one_lowering_declines_the_next_takes(monkeypatch):
    (right,) = operator_registry.lowerings_of("Relu")
    put(monkeypatch, "Relu", lambda node, tensors: Declined("no"), right)
    assert_converted(model_of([helper.make_node("Relu", ["x"], ["y"])], {"x": [2, 3]}), {"x": normal(1, 2, 3)})


def test_what_all_lowerings_decline_onnx_tf_takes(monkeypatch):
    put(monkeypatch, "Relu", lambda node, tensors: Declined("no"))
    assert_converted(model_of([helper.make_node("Relu", ["x"], ["y"])], {"x": [2, 3]}), {"x": normal(1, 2, 3)})


def test_but_not_where_it_would_compute_something_else(monkeypatch):
    put(monkeypatch, "Relu", lambda node, tensors: Declined("it is special", onnx_tf_differs=True))
    with pytest.raises(UnsupportedModelError, match=r"operator Relu \(node 'r'\) .*: it is special$"):
        convert(helper.make_node("Relu", ["x"], ["y"], name="r"), [2, 3])


@pytest.mark.parametrize("error", [KeyError, TypeError, ValueError, AttributeError, RuntimeError])
def test_an_error_in_a_lowering_is_a_fault_in_ferry(monkeypatch, error):
    def broken(node, tensors):
        raise error("planted")

    put(monkeypatch, "Relu", broken)
    with pytest.raises(error, match="planted"):
        convert(helper.make_node("Relu", ["x"], ["y"]), [2, 3])


def test_what_tensorflow_refuses_in_a_lowering_is_said_to_be_its_refusal(monkeypatch):
    import tensorflow as tf

    put(monkeypatch, "Relu", lambda node, tensors: [tf.reshape(tensors[node.inputs[0]], [4, 4])])
    with pytest.raises(UnsupportedModelError, match="Relu.*: TensorFlow 2.4.4 refuses it: Cannot reshape a tensor"):
        convert(helper.make_node("Relu", ["x"], ["y"]), [2, 3])


def test_an_operator_that_nobody_has_is_named():
    node = helper.make_node("Det", ["x"], ["y"], name="det")
    model = model_of([node], {"x": [2, 2]})
    model.graph.node[0].domain = "com.example"
    model.opset_import.append(helper.make_opsetid("com.example", 1))
    with pytest.raises(UnsupportedModelError, match=r"Det \(node 'det'\) .* the domain 'com.example'"):
        convert_onnx.convert(model)
