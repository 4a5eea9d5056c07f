import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from onnx.mapping import NP_TYPE_TO_TENSOR_TYPE

from develop.operator_coverage import newer_opsets, newer_table
from develop.operator_coverage.newer_opsets import NO_KERNEL, REFUSED, RIGHT, WRONG
from newer_models import model, normal

pytestmark = pytest.mark.fast

X = normal(1, 4, 3)


def written(folder, node, inputs, expected, opset=18):
    folder.mkdir()
    made = model([node], dict(zip(node.input, inputs)), opset)
    element = NP_TYPE_TO_TENSOR_TYPE[expected.dtype]
    made.graph.output[0].CopyFrom(helper.make_tensor_value_info(node.output[0], element, expected.shape))
    onnx.save(made, str(folder / "model.onnx"))
    for role, arrays in (("input", inputs), ("output", [expected])):
        for position, array in enumerate(arrays):
            (folder / f"{role}_{position}.pb").write_bytes(numpy_helper.from_array(array).SerializeToString())
    return str(folder)


def test_what_becomes_of_a_test(tmp_path):
    mish = helper.make_node("Mish", ["x"], ["y"])
    expected = X * np.tanh(np.log1p(np.exp(X)))
    assert newer_opsets.judge(written(tmp_path / "right", mish, [X], expected)).outcome == RIGHT
    wrong = newer_opsets.judge(written(tmp_path / "wrong", mish, [X], expected + 1))
    assert (wrong.outcome, wrong.reason, wrong.operator, wrong.opset) == (WRONG, "12 of 12 values differ", "Mish", 18)
    grid = helper.make_node("Bernoulli", ["x"], ["y"])
    assert newer_opsets.judge(written(tmp_path / "refused", grid, [X], X)).outcome == REFUSED


def test_what_must_be_constant_is_made_so(tmp_path):
    node = helper.make_node("ReduceSum", ["x", "axes"], ["y"], keepdims=0)
    folder = written(tmp_path / "sum", node, [X, np.array([1], np.int64)], X.sum(axis=1))
    assert newer_opsets.judge(folder).outcome == RIGHT


def test_what_onnx_runtime_has_no_kernel_for(tmp_path):
    node, small = helper.make_node("Max", ["x", "x"], ["y"]), np.array([1], np.int8)
    assert newer_opsets.judge(written(tmp_path / "max", node, [small, small], small)).outcome == NO_KERNEL


def test_older_tests_and_those_of_other_domains_are_left_out(tmp_path):
    written(tmp_path / "old", helper.make_node("Neg", ["x"], ["y"]), [X], -X, opset=12)
    written(tmp_path / "trees", helper.make_node("Tree", ["x"], ["y"], domain="ai.onnx.ml"), [X], X)
    new = written(tmp_path / "new", helper.make_node("Neg", ["x"], ["y"]), [X], -X, opset=13)
    assert newer_opsets.tests_in(str(tmp_path)) == [new]


def test_the_table():
    rows = [newer_opsets.Result("a", "Mish", 18, RIGHT), newer_opsets.Result("b", "Mish", 18, WRONG, "1 of 2")]
    text = newer_table.as_markdown(rows)
    assert "| Mish | 18 | 2 | 1 |  |  | 1 |" in text
    assert "## What is WRONG\n\n- Mish 18 (1): 1 of 2\n" in text
