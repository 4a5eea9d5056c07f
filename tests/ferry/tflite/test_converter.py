import re

import pytest
import tensorflow as tf
from onnx import helper

from ferry.errors import UnsupportedModelError
from ferry.frozen import made_for
from ferry.lowering import convert_onnx
from ferry.tflite import converter, flatbuffer, usable
from onnx_models import model_of, normal


def graph_of(build):
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [1, 4, 4, 1], name="input")
        tf.identity(build(x), name="output")
    return graph.as_graph_def()


def test_builtin_operators_suffice_where_they_can():
    assert flatbuffer.flex_operators(flatbuffer.operators(converter.convert(graph_of(tf.nn.relu)))) == {}


def test_an_operator_only_tensorflow_has_becomes_flex():
    graph = graph_of(lambda x: tf.math.erf(tf.math.erf(x)))
    flex = flatbuffer.flex_operators(flatbuffer.operators(converter.convert(graph)))
    assert flex == {"Erf": 2}


def test_refused_flex_names_the_operators():
    with pytest.raises(UnsupportedModelError, match="no builtin kernel for Erf, and Flex is refused"):
        converter.convert(graph_of(tf.math.erf), allow_flex=False)


def test_an_operator_that_nothing_runs_is_named():
    graph = graph_of(lambda x: tf.math.betainc(tf.abs(x), tf.abs(x), tf.sigmoid(x)))
    with pytest.raises(UnsupportedModelError, match="with Flex or without: no kernel for Betainc"):
        converter.convert(graph)


def test_an_input_of_a_type_that_tflite_lacks_is_refused():
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.uint16, [3], name="x")
        tf.identity(tf.bitwise.left_shift(x, x), name="y")
    with pytest.raises(UnsupportedModelError, match="uint16"):
        converter.convert(graph.as_graph_def())


def refused(allow_flex, operator="Conv3D"):
    """What is said of a graph whose convolution the converter lacks."""
    nodes = [helper.make_node("Relu", ["x"], ["a"], name="first", doc_string="net.py:12")]
    nodes.append(helper.make_node("Conv", ["a", "w"], ["y"], name="second", doc_string="net.py:13"))
    graph_def = convert_onnx.convert(model_of(nodes, {"x": [1, 2, 4, 5, 5]}, {"w": normal(1, 3, 2, 3, 3, 3)}))
    for node in graph_def.node:
        if node.op == "Conv3D" and operator != "Conv3D":
            # An operator of one operand that neither TFLite nor Flex has.
            node.op = operator
            del node.input[1:]
            for name in [name for name in node.attr if name != "T"]:
                del node.attr[name]
    with pytest.raises(UnsupportedModelError) as caught:
        converter.convert(graph_def, allow_flex)
    return str(caught.value)


BUILT_FOR = r"\(built for the ONNX operator Conv \(node 'second', from net.py:13\)\)"


def test_what_it_lacks_is_named_with_the_onnx_node_and_the_users_line():
    assert re.search(f"no builtin kernel for Conv3D {BUILT_FOR}, and Flex is refused", refused(False))
    assert re.search(f"with Flex or without: no kernel for Lgamma {BUILT_FOR}", refused(True, "Lgamma"))


def test_an_operator_that_the_interpreter_cannot_prepare_is_named_so_too(monkeypatch):
    nodes = [helper.make_node("Relu", ["x"], ["a"], name="first", doc_string="net.py:12")]
    nodes.append(helper.make_node("Exp", ["a"], ["y"], name="second", doc_string="net.py:13"))
    graph_def = convert_onnx.convert(model_of(nodes, {"x": [2, 3]}))
    data = converter.convert(graph_def)
    usable.refuse_unusable(data, made_for.onnx_nodes(graph_def))

    def fails(self):
        raise RuntimeError("kernels/exp.cc:41 no room Node number 0 (RELU) failed to prepare.")

    monkeypatch.setattr(tf.lite.Interpreter, "allocate_tensors", fails)
    with pytest.raises(UnsupportedModelError, match="ONNX operator Relu .node 'first', from net.py:12"):
        usable.refuse_unusable(data, made_for.onnx_nodes(graph_def))
