"""The functions of a model, which the pinned onnx does not know: field 25 of its protobuf, written byte by byte."""

import numpy as np
import onnx
import pytest
from onnx import AttributeProto, helper

from ferry.errors import UnsupportedModelError
from ferry.graph.newer_opsets import functions
from newer_models import assert_close, lowered, model, normal

pytestmark = pytest.mark.fast


def varint(number):
    parts = []
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])


def field(number, content):
    data = content if isinstance(content, bytes) else content.encode()
    return varint(number << 3 | 2) + varint(len(data)) + data


def function(name, inputs, outputs, nodes, domain="own", opset=18, defaults=(), overload=""):
    data = field(1, name) + b"".join(field(4, each) for each in inputs) + b"".join(field(5, each) for each in outputs)
    data += b"".join(field(7, node.SerializeToString()) for node in nodes)
    data += field(9, helper.make_opsetid("", opset).SerializeToString()) + field(10, domain)
    data += b"".join(field(11, each.SerializeToString()) for each in defaults)
    return data + (field(13, overload) if overload else b"")


def with_functions(made, *given):
    return onnx.ModelProto.FromString(made.SerializeToString() + b"".join(field(25, each) for each in given))


def refers(node, name, to):
    node.attribute.append(AttributeProto(name=name, type=AttributeProto.FLOAT, ref_attr_name=to))
    return node


SHRINK = function(
    "Leak",
    ["a"],
    ["b"],
    [
        refers(helper.make_node("LeakyRelu", ["a"], ["half"]), "alpha", "slope"),
        helper.make_node("Neg", ["half"], ["b"]),
    ],
    defaults=[helper.make_attribute("slope", 0.5)],
)
X = normal(1, 2, 3)


def leaky(x, slope):
    return np.where(x < 0, x * np.float32(slope), x)


def test_a_function_is_inlined_with_its_attributes_and_their_defaults():
    nodes = [
        helper.make_node("Leak", ["x"], ["half"], domain="own", name="first"),
        helper.make_node("Leak", ["half"], ["y"], domain="own", name="second", slope=0.25),
    ]
    made = with_functions(model(nodes, {"x": X}, 18), SHRINK)
    assert_close(lowered(made, {"x": X})[0], -leaky(-leaky(X, 0.5), 0.25))
    assert [node.op_type for node in made.graph.node] == ["LeakyRelu", "Neg", "LeakyRelu", "Neg"]


def test_a_function_may_call_another_and_be_of_another_opset():
    rows = function("Rows", ["a"], ["b"], [helper.make_node("ReduceSum", ["a"], ["b"], axes=[1])], opset=11)
    outer = function(
        "Outer", ["a", "unused"], ["b", "a"], [helper.make_node("Rows", ["a"], ["b"], domain="own", name="it")]
    )
    node = helper.make_node("Outer", ["x"], ["y", "same"], domain="own", name="it")
    made = lowered(with_functions(model([node], {"x": X}, 21, outputs=["y", "same"]), outer, rows), {"x": X})
    assert_close(made[0], X.sum(axis=1, keepdims=True))
    assert_close(made[1], X)


def test_functions_of_one_name_are_told_apart_by_their_overload():
    given = [
        function("F", ["a"], ["b"], [helper.make_node(kind, ["a"], ["b"])], overload=kind) for kind in ("Neg", "Abs")
    ]
    node = helper.make_node("F", ["x"], ["y"], domain="own")
    called = onnx.NodeProto.FromString(node.SerializeToString() + field(8, "Abs"))
    assert_close(lowered(with_functions(model([called], {"x": X}, 18), *given), {"x": X})[0], np.abs(X))


def test_a_subgraph_of_a_function_is_renamed_too():
    branch = helper.make_graph([helper.make_node("Neg", ["a"], ["t"])], "g", [], [onnx.ValueInfoProto(name="t")])
    other = helper.make_graph([helper.make_node("Abs", ["a"], ["t"])], "g", [], [onnx.ValueInfoProto(name="t")])
    for graph in (branch, other):
        graph.output[0].CopyFrom(helper.make_tensor_value_info("t", 1, [2, 3]))
    node = helper.make_node("If", ["yes"], ["b"], then_branch=branch, else_branch=other)
    nodes = [helper.make_node("Choose", ["x", "yes"], ["y"], domain="own", name="it")]
    made = model(nodes, {"x": X}, 18, {"yes": np.array(True)})
    assert_close(lowered(with_functions(made, function("Choose", ["a", "yes"], ["b"], [node])), {"x": X})[0], -X)


def test_a_function_that_calls_itself_is_refused():
    loops = function("F", ["a"], ["b"], [helper.make_node("F", ["a"], ["b"], domain="own")])
    made = with_functions(model([helper.make_node("F", ["x"], ["y"], domain="own")], {"x": X}, 18), loops)
    with pytest.raises(UnsupportedModelError, match="function 'F' calls itself"):
        lowered(made, {"x": X})


def test_a_call_that_does_not_fit_is_refused():
    made = with_functions(model([helper.make_node("Leak", ["x", "x"], ["y"], domain="own")], {"x": X}, 18), SHRINK)
    with pytest.raises(UnsupportedModelError, match="does not fit the model's function"):
        lowered(made, {"x": X})


def test_a_model_without_functions_has_none():
    assert functions.functions_of(model([helper.make_node("Neg", ["x"], ["y"])], {"x": X}, 18), 18) == {}
