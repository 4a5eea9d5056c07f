"""The table of operators agrees with the lowerings, and every list of operators elsewhere is read from it."""

import ast
import importlib
from pathlib import Path

import numpy as np
import pytest
from onnx import helper

from ferry.graph import operator_registry
from ferry.graph.graph import Graph
from ferry.graph.layout_analysis import read_channels_last
from ferry.graph.operator_registry import ELEMENTWISE, HOMOGENEOUS, LOWERINGS, TABLE, Layout, lowers
from onnx_models import model_of, normal, run_onnx


@pytest.fixture(autouse=True)
def every_lowering_is_loaded():
    importlib.import_module("ferry.lowering.operators")


def test_each_row_has_a_lowering_and_each_lowering_a_row():
    assert set(LOWERINGS) == set(TABLE)


def test_a_lowering_of_an_operator_without_a_row_is_refused():
    with pytest.raises(ValueError, match="NoSuchOperator has no row in the table"):
        lowers("NoSuchOperator")(lambda node, tensors: None)


def test_two_lowerings_of_one_order_are_refused():
    with pytest.raises(ValueError, match="Relu has another lowering of order 0"):
        lowers("Relu")(lambda node, tensors: None)


def test_the_lowest_order_is_tried_first():
    assert [each.__module__.rpartition(".")[2] for each in operator_registry.lowerings_of("MaxPool")] == [
        "pool", "pool_windows",
    ]  # fmt: skip
    assert operator_registry.lowerings_of("NoSuchOperator") == []


def test_what_is_elementwise_works_in_any_layout():
    assert {TABLE[name].layout for name in ELEMENTWISE} == {Layout.ANY}


@pytest.mark.parametrize("operator", sorted(ELEMENTWISE))
def test_the_layout_analysis_sees_through_all_that_is_elementwise(operator):
    graph = Graph()
    x, y, weight, z = (graph.add_value(name) for name in "xywz")
    graph.inputs = [x, weight]
    graph.insert(operator, [x], [y])
    graph.insert("Conv", [y, weight], [z])
    assert read_channels_last(graph) == {x, y}


def test_no_other_module_of_the_graph_lists_elementwise_operators():
    """A pass that names three or more of them in one literal keeps a list of its own."""
    for path in Path(operator_registry.__file__).parent.rglob("*.py"):
        if path.name == "operator_registry.py":
            continue
        for literal in ast.walk(ast.parse(path.read_text())):
            if isinstance(literal, (ast.Tuple, ast.Set, ast.List)):
                names = {each.value for each in literal.elts if isinstance(each, ast.Constant)} & ELEMENTWISE
                assert len(names) < 3, f"{path.name}:{literal.lineno} lists {sorted(names)}"


def test_homogeneous_operators_are():
    """k times the input gives k times the output, for each of them that takes one operand."""
    forms = {"AveragePool": {"kernel_shape": [2, 2]}, "MaxPool": {"kernel_shape": [2, 2]}}
    x = normal(1, 1, 2, 4, 4)
    for operator in sorted(HOMOGENEOUS - {"PRelu"}):
        model = model_of([helper.make_node(operator, ["x"], ["y"], **forms.get(operator, {}))], {"x": [1, 2, 4, 4]})
        (once,), (thrice,) = run_onnx(model, {"x": x}), run_onnx(model, {"x": 3 * x})
        np.testing.assert_allclose(thrice, 3 * once, rtol=1e-6)
