import numpy as np
import pytest
from onnx import helper

from ferry.graph.from_onnx import from_onnx
from ferry.graph.integer_ranges import combined, fits_int32, integer_ranges
from onnx_models import model_of

pytestmark = pytest.mark.fast


@pytest.mark.parametrize("operator", ["Add", "Sub", "Mul", "Div", "Mod"])
@pytest.mark.parametrize("a", [(-3, 4), (2, 5), (-6, -1)])
@pytest.mark.parametrize("b", [(1, 3), (-4, -2), (-2, 3)])
def test_no_result_lies_outside(operator, a, b):
    limits = combined(operator, a, b)
    functions = {
        "Add": lambda x, y: x + y,
        "Sub": lambda x, y: x - y,
        "Mul": lambda x, y: x * y,
        "Div": lambda x, y: int(x / y),
        "Mod": lambda x, y: x % y,
    }
    for x in range(a[0], a[1] + 1):
        for y in range(b[0], b[1] + 1):
            if limits is not None and (y or operator not in ("Div", "Mod")):
                assert limits[0] <= functions[operator](x, y) <= limits[1]


def test_what_an_index_can_be():
    nodes = [
        helper.make_node("ArgMax", ["x"], ["index"], axis=-1, keepdims=0),
        helper.make_node("Add", ["index", "more"], ["sum"]),
        helper.make_node("TopK", ["x", "k"], ["values", "places"], axis=1),
        helper.make_node("Cast", ["x"], ["unknown"], to=7),
        helper.make_node("Min", ["unknown", "index2"], ["also_unknown"]),
        helper.make_node("Reshape", ["sum", "shape"], ["index2"]),
    ]
    nodes[4], nodes[5] = nodes[5], nodes[4]
    constants = {"more": np.array([-2, 5]), "k": np.array([2]), "shape": np.array([2, 1])}
    outputs = ["sum", "places", "also_unknown"]
    ranges = integer_ranges(from_onnx(model_of(nodes, {"x": [2, 9]}, constants, outputs, opset=12)))
    assert ranges["index"] == (0, 8)
    assert ranges["sum"] == ranges["index2"] == (-2, 13)
    assert ranges["places"] == (0, 8)
    assert "unknown" not in ranges and "also_unknown" not in ranges


def test_int32_ends_where_it_does():
    assert fits_int32((-(2**31), 2**31 - 1))
    assert not fits_int32((0, 2**31)) and not fits_int32((0, 1), None)
