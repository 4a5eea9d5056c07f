import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

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


def test_one_large_constant_leaves_all_else_folded():
    """As in a conformer or a BigGAN: a table that is computed, shape arithmetic, and one constant that is too large."""
    node = helper.make_node
    nodes = [
        # A table of 4 MB, of which a slice is read whose size is computed.
        node("Shape", ["x"], ["shape"]),
        node("Gather", ["shape", "one"], ["length"], axis=0),
        node("Unsqueeze", ["length"], ["length_1"], axes=[0]),
        node("Mul", ["table", "scale"], ["scaled"]),
        node("Slice", ["scaled", "start", "length_1", "first_axis"], ["positions"]),
        node("Add", ["x", "positions"], ["placed"]),
        # A constant that would swell the file.
        node("Concat", ["length_1", "large"], ["size"], axis=0),
        node("Expand", ["half", "size"], ["halves"]),
        node("MatMul", ["placed", "halves"], ["y"]),
    ]
    constants = {
        "one": np.array(1, np.int64), "table": normal(1, 4096, 256), "scale": np.float32(0.5).reshape(()),
        "start": np.array([0], np.int64), "first_axis": np.array([0], np.int64),
        "large": np.array([256, 2048], np.int64), "half": np.full(1, 0.5, np.float32),
    }  # fmt: skip
    model = model_of(nodes, {"x": [1, 8, 256]}, constants)
    folded = folded_from(model)
    assert kinds(folded) == ["Add", "Expand", "MatMul"]
    assert {name: array.shape for name, array in initializers(folded).items()} == {
        "half": (1,),
        "positions": (8, 256),
        "size": (3,),
    }
    x = {"x": normal(2, 1, 8, 256)}
    np.testing.assert_allclose(run_onnx(folded, x)[0], run_onnx(model, x)[0], rtol=1e-6)


def test_each_constant_has_a_budget_of_its_own():
    nodes = [helper.make_node("Expand", ["one", "size"], [f"ones{index}"]) for index in range(4)]
    nodes += [helper.make_node("Sum", ["x", *(f"ones{index}" for index in range(4))], ["y"])]
    constants = {"one": np.ones(1, np.float32), "size": np.array([200_000], np.int64)}
    assert kinds(folded_from(model_of(nodes, {"x": [1]}, constants))) == ["Sum"]


def test_what_is_computed_from_large_weights_may_be_as_large():
    nodes = [
        helper.make_node("Concat", ["a", "b"], ["both"], axis=0),
        helper.make_node("Transpose", ["both"], ["turned"]),
        helper.make_node("MatMul", ["x", "turned"], ["y"]),
    ]
    constants = {"a": normal(1, 600, 600), "b": normal(2, 600, 600)}
    assert kinds(folded_from(model_of(nodes, {"x": [1, 600]}, constants))) == ["MatMul"]


def test_each_of_many_shapes_follows_from_the_one_before():
    """``x.view(x.shape[0], -1)`` and back, layer after layer: no shape is known before the one before it is folded."""
    nodes, last = [], "x"
    for index in range(30):
        nodes += [
            helper.make_node("Relu", [last], [f"r{index}"]),
            helper.make_node("Shape", [f"r{index}"], [f"s{index}"]),
            helper.make_node("Gather", [f"s{index}", "order"], [f"t{index}"], axis=0),
            helper.make_node("Reshape", [f"r{index}", f"t{index}"], [f"x{index}"]),
        ]
        last = f"x{index}"
    model = model_of(nodes, {"x": [2, 3, 4]}, {"order": np.array([1, 0, 2], np.int64)})
    assert set(kinds(folded_from(model))) == {"Relu", "Reshape"}


def test_what_onnx_runtime_has_no_kernel_for_stays_and_the_rest_is_folded():
    nodes = [
        helper.make_node("Exp", ["a"], ["e"]),
        helper.make_node("Cast", ["a"], ["double"], to=onnx.TensorProto.DOUBLE),
        # It knows this function of float alone.
        helper.make_node("Sinh", ["double"], ["sinh"]),
        helper.make_node("Cast", ["sinh"], ["single"], to=onnx.TensorProto.FLOAT),
        helper.make_node("Sum", ["x", "e", "single"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [2])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [2])],
        [numpy_helper.from_array(normal(1, 2), "a")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)])
    model.ir_version = 6
    folded = folded_from(model)
    assert kinds(folded) == ["Sinh", "Cast", "Sum"]
    assert {name: array.dtype for name, array in initializers(folded).items()} == {
        "e": np.float32,
        "double": np.float64,
    }


def test_a_shape_that_only_a_loop_reads_is_folded_for_it():
    body = helper.make_graph(
        [helper.make_node("Reshape", ["r", "target"], ["inner"])],
        "yes",
        [],
        [helper.make_tensor_value_info("inner", onnx.TensorProto.FLOAT, [6])],
    )
    nodes = [
        helper.make_node("Relu", ["x"], ["r"]),
        helper.make_node("Neg", ["one"], ["target"]),
        helper.make_node("If", ["c"], ["y"], then_branch=body, else_branch=body),
    ]
    model = model_of(nodes, {"x": [2, 3]}, {"one": np.array([1], np.int64), "c": np.array(True)})
    folded = folded_from(model)
    assert kinds(folded) == ["Relu", "If"]
    x = {"x": normal(2, 2, 3)}
    np.testing.assert_array_equal(run_onnx(folded, x)[0], run_onnx(model, x)[0])
