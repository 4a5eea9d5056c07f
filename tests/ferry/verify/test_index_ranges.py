"""Which integers an input may hold: found through what is done to an index before a table is read."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from ferry.verify.index_ranges import index_ranges
from ferry.verify.integer_span import IndexRange

pytestmark = pytest.mark.fast


def ranges(*nodes, kind=TensorProto.INT64, constants=None, inputs=("x",)):
    """The ranges of [1, 4] ``inputs`` read by ``nodes``; ``table`` has 50 rows and ``short`` 20."""
    arrays = {"table": np.zeros((50, 3), np.float32), "short": np.zeros((20, 3), np.float32), **(constants or {})}
    graph = helper.make_graph(
        [helper.make_node(kind_of, list(read), [made], **options) for kind_of, read, made, options in nodes],
        "g",
        [helper.make_tensor_value_info(name, kind, [1, 4]) for name in inputs],
        [onnx.ValueInfoProto(name=nodes[-1][2])],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    return index_ranges(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)]))


def node(kind, read, made, **options):
    return kind, read, made, options


GATHER = node("Gather", ("table", "i"), "y")
TWO = {"two": np.array(2, np.int64), "row": np.array([[0, 1, 2, 3]], np.int64), "flat": np.array([4], np.int64)}


@pytest.mark.parametrize(
    ("between", "expected"),
    [
        ([node("Identity", ("x",), "i")], (0, 49)),
        ([node("Cast", ("x",), "j", to=TensorProto.INT32), node("Reshape", ("j", "flat"), "i")], (0, 49)),
        ([node("Add", ("x", "two"), "i")], (0, 47)),
        ([node("Add", ("row", "x"), "i")], (0, 46)),
        ([node("Sub", ("x", "two"), "i")], (2, 51)),
        (
            [node("Constant", (), "c", value=numpy_helper.from_array(np.array(3))), node("Add", ("x", "c"), "i")],
            (0, 46),
        ),
        ([node("Add", ("x", "two"), "j"), node("Concat", ("x", "j"), "i", axis=1)], (0, 47)),
        ([node("Gather", ("short", "x"), "z"), node("Identity", ("x",), "i")], (0, 19)),
        # What an index is computed from otherwise may be out of the table for any other number.
        ([node("Mul", ("x", "two"), "i")], None),
        ([node("Gather", ("short", "x"), "z"), node("Mul", ("x", "two"), "i")], None),
        # A remainder is in the table whatever is divided.
        ([node("Gather", ("short", "x"), "z"), node("Mod", ("x", "two"), "i")], (0, 19)),
        ([node("Mod", ("x", "two"), "i")], None),
    ],
)
def test_the_range_is_that_of_all_tables_that_are_read(between, expected):
    (found,) = ranges(*between, GATHER, constants=TWO)
    assert found == (IndexRange(*expected) if expected else None)


def test_each_input_has_its_own():
    nodes = [node("Gather", ("table", "x"), "a"), node("Gather", ("short", "w"), "b"), node("Add", ("a", "b"), "y")]
    assert ranges(*nodes, inputs=("w", "x", "other")) == [IndexRange(0, 19), IndexRange(0, 49), None]


def test_floats_count_where_they_are_read_as_integers_alone():
    cast = node("Cast", ("x",), "i", to=TensorProto.INT64)
    assert ranges(cast, GATHER, kind=TensorProto.FLOAT) == [IndexRange(0, 49)]
    beside = node("Relu", ("x",), "r")
    assert ranges(cast, beside, GATHER, kind=TensorProto.FLOAT) == [None]


def test_one_hot_has_as_many_rows_as_it_is_deep():
    one_hot = node("OneHot", ("x", "flat", "ends"), "y")
    assert ranges(one_hot, constants={**TWO, "ends": np.array([0.0, 1.0], np.float32)}) == [IndexRange(0, 3)]
