import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from ferry.errors import InputFileError, UnsupportedModelError
from ferry.graph.newer_opsets import lower_model
from newer_models import assert_close, lowered, model, normal

pytestmark = pytest.mark.fast

X = normal(1, 2, 3)


def test_the_result_is_of_opset_12_and_the_remark_says_what_it_was():
    made = model([helper.make_node("Gelu", ["x"], ["y"])], {"x": X}, 23, ir_version=12)
    assert lower_model.lower(made) == ["opset 23 is written in the terms of opset 12"]
    assert [(entry.domain, entry.version) for entry in made.opset_import] == [("", 12)]
    assert made.ir_version == 7
    onnx.checker.check_model(made)


def test_a_model_of_opset_12_is_left_as_it_is():
    made = model([helper.make_node("Neg", ["x"], ["y"])], {"x": X}, 12, ir_version=7)
    before = made.SerializeToString()
    assert lower_model.lower(made) == []
    assert made.SerializeToString() == before


def test_the_same_model_gives_the_same_bytes():
    def once():
        made = model([helper.make_node("Gelu", ["x"], ["h"]), helper.make_node("Mish", ["h"], ["y"])], {"x": X}, 20)
        lower_model.lower(made)
        return made.SerializeToString(deterministic=True)

    assert once() == once()


@pytest.mark.parametrize(
    ("node", "said"),
    [
        (
            helper.make_node("Frobnicate", ["x"], ["y"], name="n"),
            "Frobnicate 'n' of opset 23: the operator has no form",
        ),
        (helper.make_node("BitCast", ["x"], ["y"], to=6), "BitCast 'y' of opset 23: the operator has no form"),
        (
            helper.make_node("Gelu", ["x"], ["y"], domain="com.x"),
            r"com.x.Gelu 'y' of opset 23: it is no operator of ONNX",
        ),
        (helper.make_node("Neg", ["x"], ["y"], odd=3), "Neg 'y' of opset 23: odd = 3 has no form in opset 12"),
        (helper.make_node("Neg", ["x", "x"], ["y"]), "Neg 'y' of opset 23: opset 12 gives it 1 inputs at most"),
        (helper.make_node("Upsample", ["x", "x"], ["y"]), "Upsample 'y' of opset 23: the operator is not one of this"),
        (helper.make_node("Split", [], ["y"]), "Split 'y' of opset 23: its input 0 is missing"),
        (helper.make_node("BatchNormalization", ["x"] * 5, ["y"], training_mode=1), "training_mode = 1 has no form"),
    ],
)
def test_what_it_does_not_know_it_names_in_one_line(node, said):
    with pytest.raises(UnsupportedModelError, match=said) as error:
        lower_model.lower(model([node], {"x": X}, 23))
    assert "\n" not in str(error.value)


def test_a_type_that_came_later_is_refused():
    x = np.array([1, 2], np.int8)
    with pytest.raises(UnsupportedModelError, match="Add 'y' of opset 14: opset 12 knows no form of it for int8"):
        lower_model.lower(model([helper.make_node("Add", ["x", "x"], ["y"])], {"x": x}, 14))


def test_branches_are_lowered_too():
    graphs = [
        helper.make_graph(
            [helper.make_node("Unsqueeze", ["x", "axes"], ["u"]), helper.make_node(kind, ["u"], ["t"])],
            "branch",
            [],
            [helper.make_tensor_value_info("t", TensorProto.FLOAT, [1, 2, 3])],
        )
        for kind in ("Mish", "HardSwish")
    ]
    node = helper.make_node("If", ["no"], ["y"], then_branch=graphs[0], else_branch=graphs[1])
    feeds = {"x": X, "no": np.array(False)}
    made = model([node], feeds, 18, {"axes": np.array([0], np.int64)})
    assert_close(lowered(made, feeds)[0], (X * np.clip(X + 3, 0, 6) / 6)[None])


def test_where_the_condition_is_known_only_one_branch_is_left():
    output = helper.make_tensor_value_info("t", TensorProto.FLOAT, [2, 3])
    graphs = [
        helper.make_graph(nodes, "branch", [], [output], constants)
        for nodes, constants in (
            ([helper.make_node("Add", ["x", "c"], ["t"])], [numpy_helper.from_array(X, "c")]),
            ([helper.make_node("Frobnicate", ["x"], ["t"])], []),
        )
    ]
    nodes = [
        helper.make_node("Shape", ["x"], ["rows"], end=1),
        helper.make_node("Equal", ["rows", "two"], ["yes"]),
        helper.make_node("If", ["yes"], ["a"], then_branch=graphs[0], else_branch=graphs[1]),
        helper.make_node("If", ["yes"], ["b"], then_branch=graphs[0], else_branch=graphs[1]),
        helper.make_node("Add", ["a", "b"], ["y"]),
    ]
    made = model(nodes, {"x": X}, 18, {"two": np.array([2], np.int64)})
    assert_close(lowered(made, {"x": X})[0], 4 * X)
    assert "If" not in [node.op_type for node in made.graph.node]


def test_a_constant_that_is_shorter_than_its_shape_is_refused():
    made = model([helper.make_node("Add", ["x", "c"], ["y"])], {"x": X}, 18, {"c": X})
    made.graph.initializer[0].raw_data = b"1234"
    with pytest.raises(InputFileError, match="the constant 'c' is not valid"):
        lower_model.lower(made)


def test_a_constant_of_no_known_type_is_refused():
    made = model([helper.make_node("Add", ["x", "c"], ["y"])], {"x": X}, 18, {"c": X})
    made.graph.initializer[0].data_type = 65
    with pytest.raises(InputFileError, match="the constant 'c' is of type 65"):
        lower_model.lower(made)


@pytest.mark.parametrize("element", [TensorProto.FLOAT16, TensorProto.BFLOAT16])
@pytest.mark.parametrize("raw", [True, False])
def test_narrow_floats_are_raised(element, raw):
    values = np.array([[0.5, -2, 1], [3, 0, -0.25]], np.float32)
    if element == TensorProto.FLOAT16:
        bits = values.astype(np.float16).view(np.uint16)
    else:
        bits = (values.view(np.uint32) >> 16).astype(np.uint16)
    weight = TensorProto(name="w", data_type=element, dims=[2, 3])
    if raw:
        weight.raw_data = bits.tobytes()
    else:
        weight.int32_data.extend(int(each) for each in bits.reshape(-1))
    nodes = [helper.make_node("Cast", ["x"], ["h"], to=element), helper.make_node("Add", ["h", "w"], ["y"])]
    made = model(nodes, {"x": X}, 18)
    made.graph.initializer.append(weight)
    made.graph.input[0].type.tensor_type.elem_type = made.graph.output[0].type.tensor_type.elem_type = element
    made_of = lowered(made, {"x": X})[0]
    assert_close(made_of, X + values)
    assert made_of.dtype == np.float32


def test_narrow_floats_are_raised_in_older_opsets_too_and_it_is_said():
    made = model([helper.make_node("Add", ["x", "w"], ["y"])], {"x": X}, 11, {"w": X.astype(np.float16)}, ir_version=6)
    assert lower_model.lower(made) == ["its float16 tensors are raised to float32, the weights exactly"]
    np.testing.assert_array_equal(numpy_helper.to_array(made.graph.initializer[0]), X.astype(np.float16))


@pytest.mark.parametrize(("element", "name"), [(17, "float8e4m3fn"), (22, "int4"), (23, "float4e2m1")])
def test_narrower_ones_are_refused(element, name):
    made = model([helper.make_node("Cast", ["x"], ["y"], to=element, name="it")], {"x": X}, 23)
    with pytest.raises(UnsupportedModelError, match=f"'it' is of type {name}"):
        lower_model.lower(made)
