"""What the inputs reach of small networks of which that is plain."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from ferry.verify.coverage.coverage_worker import SAMPLES, CoverageWorker
from ferry.verify.coverage.input_coverage import OneSided, describe
from ferry.verify.input_source import InputSource

pytestmark = pytest.mark.fast


class Given(InputSource):
    """The samples themselves, each one array an input."""

    def __init__(self, samples):
        self.count, self._samples = len(samples), samples

    def sample(self, position):
        return self._samples[position]


def cover(tmp_path, nodes, weights, samples, kind=TensorProto.FLOAT, rank=4):
    """The coverage of the model that ``nodes`` make of the input ``x`` to ``y``."""
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", kind, list(samples[0].shape))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, list("abcde")[:rank])],
        [numpy_helper.from_array(np.asarray(array, np.float32), name) for name, array in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)])
    model.ir_version = 6
    path = tmp_path / "model.onnx"
    onnx.save(model, str(path))
    return CoverageWorker(str(path)).cover(Given([[array] for array in samples]))


def images(*channels):
    """Samples whose channels hold these values."""
    return [np.tile(np.array(values, np.float32)[None, :, None, None], (1, 1, 4, 4)) for values in channels]


CONV = helper.make_node("Conv", ["x", "w"], ["c"], name="conv", kernel_shape=[1, 1])
RELU = helper.make_node("Relu", ["c"], ["r"], name="relu")
SECOND = helper.make_node("Conv", ["r", "v"], ["y"], name="second", kernel_shape=[3, 3])


def test_a_dead_channel_hides_the_weights_on_both_of_its_sides(tmp_path):
    first = [[[[1.0]], [[1.0]]], [[[-1.0]], [[-1.0]]], [[[1.0]], [[-1.0]]]]
    weights = {"w": first, "v": np.ones((5, 3, 3, 3))}
    found = cover(tmp_path, [CONV, RELU, SECOND], weights, images([1, 2], [2, 1]))
    # Channel 1 is below zero on both; channel 2 is above it on the second.
    assert (found.channels, found.dead, found.saturated) == (3, 1, 0)
    assert found.weights == 6 + 135
    assert found.weights_reached == 4 + 5 * 2 * 9
    assert "weights reached: 66.6%, of 3 channels 1 dead" in found.line


def test_an_input_channel_of_zeros_hides_its_weights(tmp_path):
    found = cover(
        tmp_path, [CONV, RELU, SECOND], {"w": np.ones((3, 2, 1, 1)), "v": np.ones((1, 3, 3, 3))}, images([0, 2])
    )
    assert found.weights_reached == 3 + 27


def test_of_a_weight_that_is_used_twice_either_use_counts(tmp_path):
    split = helper.make_node("Split", ["x"], ["a", "b"], axis=1, name="split")
    uses = [helper.make_node("Conv", [name, "w"], [f"{name}w"], kernel_shape=[1, 1], name=name) for name in "ab"]
    add = helper.make_node("Add", ["aw", "bw"], ["y"], name="add")
    found = cover(tmp_path, [split, *uses, add], {"w": np.ones((2, 2, 1, 1))}, images([1, 0, 0, 1]))
    assert (found.weights, found.weights_reached) == (4, 4)


def test_groups_are_told_apart(tmp_path):
    grouped = helper.make_node("Conv", ["x", "w"], ["y"], group=2, kernel_shape=[1, 1], name="grouped")
    found = cover(tmp_path, [grouped], {"w": np.ones((4, 2, 1, 1))}, images([1, 0, 0, 0]))
    assert (found.weights, found.weights_reached) == (8, 2)


@pytest.mark.parametrize("transposed", [False, True])
def test_a_matrix_may_come_through_a_transpose(tmp_path, transposed):
    nodes = [helper.make_node("Transpose", ["w"], ["m"], perm=[1, 0], name="t")] if transposed else []
    nodes.append(helper.make_node("MatMul", ["x", "m" if transposed else "w"], ["c"], name="m"))
    nodes.append(helper.make_node("Relu", ["c"], ["y"], name="relu"))
    weight = np.array([[1.0, -1], [1, 1], [1, 1]])
    found = cover(
        tmp_path, nodes, {"w": weight.T if transposed else weight}, [np.array([[1, 0, 0]], np.float32)], rank=2
    )
    assert (found.weights, found.weights_reached, found.dead) == (6, 1, 1)


@pytest.mark.parametrize(
    ("node", "values", "sides"),
    [
        (helper.make_node("Relu", ["x"], ["y"], name="n"), [1, 2], [("below", 0)]),
        (helper.make_node("Relu", ["x"], ["y"], name="n"), [1, -2], []),
        (helper.make_node("Clip", ["x", "", "six"], ["y"], name="n"), [1, 2], [("above", 6)]),
        (helper.make_node("LeakyRelu", ["x"], ["y"], name="n"), [-1, -2], [("above", 0)]),
        (helper.make_node("Sigmoid", ["x"], ["y"], name="n"), [-1, -2], []),
    ],
)
def test_a_side_of_a_kink_that_is_never_seen_is_named(tmp_path, node, values, sides):
    found = cover(tmp_path, [node], {"six": np.array(6.0)}, images(values))
    assert found.one_sided == [OneSided("n", node.op_type, side, kink) for side, kink in sides]


def test_a_condition_that_is_never_true_is_named(tmp_path):
    nodes = [
        helper.make_node("Greater", ["x", "five"], ["high"], name="g"),
        helper.make_node("Where", ["high", "five", "x"], ["y"], name="w"),
    ]
    found = cover(tmp_path, nodes, {"five": np.array(5.0)}, images([1, 2]))
    assert [describe(each) for each in found.one_sided] == ["w never true"]


def test_saturated_channels_are_counted(tmp_path):
    sigmoid = helper.make_node("Sigmoid", ["x"], ["y"], name="s")
    found = cover(tmp_path, [sigmoid], {}, images([20, -20, 1], [30, -30, 1]))
    assert (found.channels, found.dead, found.saturated) == (3, 1, 1)


def test_the_rows_that_all_inputs_read_are_counted(tmp_path):
    nodes = [
        helper.make_node("Identity", ["x"], ["i"], name="a"),
        helper.make_node("Gather", ["table", "i"], ["y"], name="g"),
    ]
    samples = [np.array([[position, 3]]) for position in range(3 * SAMPLES)]
    found = cover(tmp_path, nodes, {"table": np.ones((100, 2))}, samples, TensorProto.INT64, rank=3)
    (table,) = found.tables
    assert (table.rows, table.read, table.samples) == (100, 3 * SAMPLES, 3 * SAMPLES)
    assert (found.samples, found.weights, found.weights_reached) == (SAMPLES, 200, 6 * SAMPLES)


def test_rows_that_the_network_itself_picks_are_counted_on_those_that_are_run(tmp_path):
    nodes = [
        helper.make_node("ArgMax", ["x"], ["i"], axis=1, name="a"),
        helper.make_node("Gather", ["table", "i"], ["y"], name="g"),
    ]
    found = cover(tmp_path, nodes, {"table": np.ones((2, 3))}, images([1, 2]) * 40, rank=5)
    (table,) = found.tables
    assert (table.read, table.samples) == (1, SAMPLES)
