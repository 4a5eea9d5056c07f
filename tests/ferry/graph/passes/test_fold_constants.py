import numpy as np
import onnx
import pytest
from onnx import helper

from ferry.graph.onnx_file import initializers
from ferry.graph.passes.fold_constants import fold_constants
from ferry.graph.shapes import static_shapes
from onnx_models import model_of, normal, rewrite, run_onnx

pytestmark = pytest.mark.fast


def folded_from(model):
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    rewrite(copy, fold_constants)
    return copy


def kinds(model):
    return [node.op_type for node in model.graph.node]


def flatten_as_pytorch_exports_it():
    """``x.reshape(x.shape[0], -1)``."""
    return model_of(
        [
            helper.make_node("Relu", ["x"], ["r"]),
            helper.make_node("Shape", ["r"], ["shape"]),
            helper.make_node("Gather", ["shape", "zero"], ["batch"], axis=0),
            helper.make_node("Unsqueeze", ["batch"], ["batch_1"], axes=[0]),
            helper.make_node("Concat", ["batch_1", "minus_one"], ["target"], axis=0),
            helper.make_node("Reshape", ["r", "target"], ["y"]),
        ],
        {"x": [2, 3, 4]},
        {"zero": np.array(0, np.int64), "minus_one": np.array([-1], np.int64)},
    )


def test_shape_arithmetic_becomes_an_initializer():
    model = flatten_as_pytorch_exports_it()
    folded = folded_from(model)
    assert kinds(folded) == ["Relu", "Reshape"]
    assert {name: array.tolist() for name, array in initializers(folded).items()} == {"target": [2, -1]}
    x = normal(1, 2, 3, 4)
    np.testing.assert_array_equal(run_onnx(folded, {"x": x})[0], run_onnx(model, {"x": x})[0])


def test_a_shape_that_is_not_static_stays():
    model = flatten_as_pytorch_exports_it()
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "batch"
    assert "Shape" in kinds(folded_from(model))


def test_shapes_that_follow_from_folded_ones_are_folded_too():
    nodes = list(flatten_as_pytorch_exports_it().graph.node)
    nodes += [
        helper.make_node("Shape", ["y"], ["shape_2"]),
        helper.make_node("Slice", ["shape_2", "minus_one", "far"], ["last"]),
        helper.make_node("Concat", ["one", "last"], ["target_2"], axis=0),
        helper.make_node("Expand", ["some", "target_2"], ["expanded"]),
        helper.make_node("Mul", ["expanded", "expanded"], ["z"]),
        helper.make_node("Add", ["y", "z"], ["w"]),
    ]
    constants = {
        "zero": np.array(0, np.int64), "minus_one": np.array([-1], np.int64), "one": np.array([1], np.int64),
        "far": np.array([99], np.int64), "some": np.array([3.0], np.float32),
    }  # fmt: skip
    folded = folded_from(model_of(nodes, {"x": [2, 3, 4]}, constants))
    assert kinds(folded) == ["Relu", "Reshape", "Add"]


def test_a_shape_behind_a_reshape_to_a_constant_node_is_known():
    # As an LSTM after a flatten is exported: the Reshape's target is a node, and nothing before it is folded.
    target = helper.make_tensor("value", onnx.TensorProto.INT64, [2], [2, -1])
    model = model_of(
        [
            helper.make_node("Constant", [], ["target"], value=target),
            helper.make_node("Reshape", ["x", "target"], ["flat"]),
            helper.make_node("Shape", ["flat"], ["shape"]),
            helper.make_node("ConstantOfShape", ["shape"], ["zeros"]),
            helper.make_node("Add", ["flat", "zeros"], ["y"]),
        ],
        {"x": [2, 3, 4]},
    )
    assert kinds(folded_from(model)) == ["Reshape", "Add"]


def test_random_numbers_are_not_constant():
    nodes = [
        helper.make_node("RandomNormal", [], ["noise"], shape=[2, 3]),
        helper.make_node("Add", ["x", "noise"], ["y"]),
    ]
    assert kinds(folded_from(model_of(nodes, {"x": [2, 3]}))) == ["RandomNormal", "Add"]


def test_a_constant_that_would_swell_the_file_stays_an_operator():
    nodes = [
        helper.make_node("Expand", ["one", "large"], ["ones"]),
        helper.make_node("Add", ["x", "ones"], ["y"]),
    ]
    constants = {"one": np.ones(1, np.float32), "large": np.array([1024, 1024], np.int64)}
    assert kinds(folded_from(model_of(nodes, {"x": [1]}, constants))) == ["Expand", "Add"]


def test_dead_nodes_and_unread_initializers_go():
    nodes = [helper.make_node("Exp", ["x"], ["unread"]), helper.make_node("Relu", ["x"], ["y"])]
    folded = folded_from(model_of(nodes, {"x": [2]}, {"unused": normal(1, 5)}, outputs=["y"]))
    assert kinds(folded) == ["Relu"]
    assert initializers(folded) == {}


@pytest.mark.parametrize("ir_version", [3, 6])
def test_shapes_are_inferred_through_initializers_that_are_no_inputs(ir_version):
    node = helper.make_node("Conv", ["x", "w"], ["c"], kernel_shape=[3, 3])
    relu = helper.make_node("Relu", ["c"], ["y"])
    model = model_of([node, relu], {"x": [1, 2, 8, 8]}, {"w": normal(1, 4, 2, 3, 3)})
    if ir_version == 3:
        weight = onnx.helper.make_tensor_value_info("w", onnx.TensorProto.FLOAT, [4, 2, 3, 3])
        model.graph.input.append(weight)
    model.ir_version = ir_version
    assert static_shapes(model)["c"] == [1, 4, 6, 6]
