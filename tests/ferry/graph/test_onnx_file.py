import os

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from ferry.errors import InputFileError
from ferry.graph import onnx_file

pytestmark = pytest.mark.fast


def external(tensor, location):
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    return tensor


def model(initializer=None, value=None):
    weight = initializer or numpy_helper.from_array(np.ones((3, 3), np.float32), "w")
    constant = value or numpy_helper.from_array(np.ones(3, np.float32), "c")
    nodes = [helper.make_node("Constant", [], ["c"], value=constant)]
    branch = helper.make_graph(nodes, "branch", [], [helper.make_tensor_value_info("c", TensorProto.FLOAT, [3])])
    graph = helper.make_graph(
        [
            helper.make_node("If", ["yes"], ["held"], then_branch=branch, else_branch=branch),
            helper.make_node("MatMul", ["x", "w"], ["y"]),
        ],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3])],
        [weight, numpy_helper.from_array(np.array(True), "yes")],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)])
    made.ir_version = 6
    return made


@pytest.mark.parametrize("place", ["initializer", "value"])
def test_weights_in_other_files_that_are_not_there_are_asked_for_in_one_line(tmp_path, place):
    tensor = numpy_helper.from_array(np.ones((3, 3) if place == "initializer" else 3, np.float32), "w")
    made = model(**{place: external(tensor, "weights.bin")})
    (tmp_path / "m.onnx").write_bytes(made.SerializeToString())
    with pytest.raises(
        InputFileError, match=r"m\.onnx keeps tensors in 'weights.bin' beside it, and that cannot be read"
    ):
        onnx_file.load(str(tmp_path / "m.onnx"))


def test_weights_in_the_file_are_read(tmp_path):
    (tmp_path / "m.onnx").write_bytes(model().SerializeToString())
    assert isinstance(onnx_file.load(str(tmp_path / "m.onnx")), onnx.ModelProto)


def test_a_fifo_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(str(tmp_path / "m.onnx"))
    with pytest.raises(InputFileError, match="m.onnx: it is a FIFO, and not a regular file"):
        onnx_file.load(str(tmp_path / "m.onnx"))
