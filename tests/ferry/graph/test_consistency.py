import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from ferry.errors import InputFileError
from ferry.graph import consistency

pytestmark = pytest.mark.fast


def model_of(node, shape, constants=None):
    info = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)
    entries = [numpy_helper.from_array(array, name) for name, array in (constants or {}).items()]
    graph = helper.make_graph([node], "test", [info], [onnx.ValueInfoProto(name="y")], entries)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)])
    model.ir_version = 6
    return model


def test_a_sound_model_passes():
    consistency.check(
        "m.onnx", model_of(helper.make_node("Concat", ["x", "c"], ["y"], axis=0), [2], {"c": np.float32([1])})
    )


@pytest.mark.parametrize(
    ("node", "shape", "constants", "said"),
    [
        (helper.make_node("Concat", ["x", "x"], ["y"], axis=3), [2, 3], {}, "axis must be in"),
        (
            helper.make_node("MatMul", ["x", "w"], ["y"]),
            [2, 3],
            {"w": np.zeros([4, 5], np.float32)},
            "Incompatible dimensions",
        ),
        (helper.make_node("Add", ["x", "n"], ["y"]), [2], {"n": np.array([1])}, "Type"),
        (helper.make_node("Add", ["x", "n"], ["y"]), [2], {"n": np.zeros(3, np.float32)}, "Incompatible dimensions"),
    ],
)
def test_nodes_that_do_not_fit_are_the_files_fault(node, shape, constants, said):
    with pytest.raises(InputFileError, match=f"^m.onnx is not a valid ONNX model: .*{said}"):
        consistency.check("m.onnx", model_of(node, shape, constants))


def test_a_tensor_without_all_of_its_data_is_named():
    model = model_of(helper.make_node("Add", ["x", "w"], ["y"]), [2], {"w": np.zeros(2, np.float32)})
    model.graph.initializer[0].raw_data = b"12345678901"
    with pytest.raises(InputFileError, match="m.onnx: the initializer 'w' is damaged"):
        consistency.check("m.onnx", model)


def test_an_operator_that_onnx_runtime_has_no_kernel_for_is_no_fault_of_the_file():
    node = helper.make_node("Acosh", ["x"], ["y"])
    model = model_of(node, [2])
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.DOUBLE
    consistency.check("m.onnx", model)


def test_a_model_that_onnx_runtime_crashes_on_is_one_clear_line():
    model = model_of(helper.make_node("ConstantOfShape", ["n"], ["a"]), [2], {"n": np.array(3)})
    model.graph.node.append(helper.make_node("Squeeze", ["a"], ["b"]))
    model.graph.node.append(helper.make_node("Add", ["b", "x"], ["y"]))
    with pytest.raises(InputFileError, match=r"inference of its types and shapes by ONNX Runtime \S+ was ended by SIG"):
        consistency.check("m.onnx", model)


def test_a_model_that_onnx_runtime_never_ends_with_is_one_clear_line(monkeypatch):
    monkeypatch.setattr(consistency, "MOST_SECONDS", 1)
    conv = helper.make_node("Conv", ["x", "w"], ["a"], kernel_shape=[3, 3], pads=[1, 1, 1, 2**62])
    model = model_of(conv, [1, 3, 4, 4], {"w": np.zeros([4, 3, 3, 3], np.float32)})
    model.graph.node.append(helper.make_node("MaxPool", ["a"], ["y"], kernel_shape=[2, 2], strides=[-2, 2]))
    with pytest.raises(InputFileError, match="took more than 1 s of processor time"):
        consistency.check("m.onnx", model)
