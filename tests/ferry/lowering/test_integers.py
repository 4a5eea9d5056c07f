"""Integer arithmetic on the way to indices: right for every value, and with TFLite's builtin operators."""

import itertools

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.mapping import NP_TYPE_TO_TENSOR_TYPE

from converted import run_graph, run_tflite
from ferry.lowering import convert_onnx
from ferry.tflite import converter, flatbuffer

LARGE = np.array([0, 1, -1, 7, -7, 2**21, -(2**21) - 1, 2**42 + 3, -(2**42), 2**53 + 1, 2**62 + 12345, 1 - 2**63])


def model_of(nodes, feeds, constants, made):
    inputs = [
        helper.make_tensor_value_info(name, NP_TYPE_TO_TENSOR_TYPE[array.dtype], array.shape)
        for name, array in feeds.items()
    ]
    output = helper.make_tensor_value_info("y", NP_TYPE_TO_TENSOR_TYPE[made.dtype], made.shape)
    held = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    graph = helper.make_graph(nodes, "integers", inputs, [output], held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 12)])
    model.ir_version = 6
    return model


def assert_exact(nodes, feeds, expected, constants=None, flex=False):
    """Both runtimes compute ``expected`` bit by bit. Whole numbers as ONNX Runtime 1.4 has them are not asked for."""
    graph_def = convert_onnx.convert(model_of(nodes, feeds, constants or {}, expected))
    data = converter.convert(graph_def)
    operators = flatbuffer.operators(data)
    assert bool(flatbuffer.flex_operators(operators)) == flex, operators
    for computed in (run_graph(graph_def, feeds), run_tflite(data, feeds)):
        np.testing.assert_array_equal(computed[0], expected)
        assert computed[0].dtype == expected.dtype
    return operators


def cut_off(a, b):
    """The quotient towards zero, in Python's own whole numbers."""
    return np.array([abs(int(x)) // abs(int(y)) * (1 if (x < 0) == (y < 0) else -1) for x, y in zip(a, b)], a.dtype)


def operands(kind):
    pairs = list(itertools.product([0, 1, -1, 9, -9, 40, -41], [1, -1, 3, -4, 7]))
    return np.array([a for a, _ in pairs], kind), np.array([b for _, b in pairs], kind)


EXPECTED = {
    "Add": np.add,
    "Div": cut_off,
    "Max": np.maximum,
    "Min": np.minimum,
    "Mod": np.mod,
    "Mul": np.multiply,
    "Sub": np.subtract,
}


@pytest.mark.parametrize("kind", ["int32", "int64"])
@pytest.mark.parametrize("operator", sorted(EXPECTED))
def test_of_two_tensors(operator, kind):
    a, b = operands(kind)
    # What range int64 from outside has is not known, and TFLite has no product and no quotient of it.
    flex = kind == "int64" and operator in ("Div", "Mul")
    node = helper.make_node(operator, ["a", "b"], ["y"])
    assert_exact([node], {"a": a, "b": b}, EXPECTED[operator](a, b), flex=flex)


@pytest.mark.parametrize("kind", ["int32", "int64"])
@pytest.mark.parametrize("operator", sorted(EXPECTED))
@pytest.mark.parametrize("constant", [3, -5])
def test_with_a_constant(operator, kind, constant):
    a, b = operands(kind)[0], np.full_like(operands(kind)[0], constant)
    node = helper.make_node(operator, ["a", "b"], ["y"])
    assert_exact([node], {"a": a}, EXPECTED[operator](a, b), {"b": np.array(constant, kind)})


@pytest.mark.parametrize("divisor", [1, 2, 3, -7, 1000, 2**20 + 7, -(2**21) + 1])
def test_int64_of_any_size_is_divided_exactly(divisor):
    node = helper.make_node("Div", ["a", "b"], ["y"])
    expected = cut_off(LARGE, np.full_like(LARGE, divisor))
    assert_exact([node], {"a": LARGE}, expected, {"b": np.array([divisor], np.int64)})


@pytest.mark.parametrize("factor", [0, 1, 2, 77, -1000, 2**23 + 5])
def test_int64_of_any_size_is_multiplied_exactly(factor):
    node = helper.make_node("Mul", ["a", "b"], ["y"])
    assert_exact([node], {"a": LARGE}, LARGE * factor, {"b": np.array(factor, np.int64)})


def test_what_fits_int32_is_computed_in_it():
    x = np.random.RandomState(0).standard_normal((4, 50)).astype(np.float32)
    nodes = [
        helper.make_node("ArgMax", ["x"], ["i"], axis=1, keepdims=0),
        helper.make_node("Div", ["i", "seven"], ["row"]),
        helper.make_node("Mod", ["i", "seven"], ["column"]),
        helper.make_node("Mul", ["row", "column"], ["y"]),
    ]
    index = x.argmax(1)
    operators = assert_exact(nodes, {"x": x}, index // 7 * (index % 7), {"seven": np.array(7, np.int64)})
    assert operators["DIV"] == operators["MUL"] == 1


@pytest.mark.parametrize("kind", ["int32", "int64"])
def test_the_remainder_with_the_sign_of_the_first(kind):
    a, b = operands(kind)
    node = helper.make_node("Mod", ["a", "b"], ["y"], fmod=1)
    assert_exact([node], {"a": a, "b": b}, np.fmod(a, b))


@pytest.mark.parametrize("kind", ["int32", "int64"])
@pytest.mark.parametrize(
    "operator, function",
    [("Abs", np.abs), ("Neg", np.negative), ("Sign", np.sign), ("ReduceMax", np.max), ("ReduceMin", np.min)],
)
def test_of_one_tensor(operator, function, kind):
    a = operands(kind)[0].reshape(5, 7)
    attributes = {"axes": [1], "keepdims": 0} if operator.startswith("Reduce") else {}
    expected = function(a, **({"axis": 1} if attributes else {}))
    assert_exact([helper.make_node(operator, ["a"], ["y"], **attributes)], {"a": a}, expected.astype(kind))


def test_a_row_of_a_table_by_a_quotient():
    table = np.random.RandomState(1).standard_normal((5, 3)).astype(np.float32)
    ids = np.array([0, 5, 9, 19])
    nodes = [
        helper.make_node("Div", ["ids", "four"], ["row"]),
        helper.make_node("Gather", ["table", "row"], ["y"]),
    ]
    constants = {"four": np.array(4, np.int64), "table": table}
    assert_exact(nodes, {"ids": ids}, table[ids // 4], constants)


def test_truth_values_are_numbers_of_known_range():
    x = np.array([[-1.0, 2.0, 3.0]], np.float32)
    nodes = [
        helper.make_node("Greater", ["x", "zero"], ["p"]),
        helper.make_node("Cast", ["p"], ["n"], to=TensorProto.INT64),
        helper.make_node("Mul", ["n", "n"], ["y"]),
    ]
    assert_exact(nodes, {"x": x}, np.array([[0, 1, 1]]), {"zero": np.array(0.0, np.float32)})
