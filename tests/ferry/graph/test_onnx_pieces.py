import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from ferry.graph import onnx_pieces

pytestmark = pytest.mark.fast


def model():
    """One whose fields have lower and higher numbers than the graph's and the initializers'."""
    graph = helper.make_graph(
        [helper.make_node("Gemm", ["x", "w", "b"], ["y"], name="gemm", alpha=0.5)],
        "named",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 300])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 7])],
        [
            numpy_helper.from_array(np.random.RandomState(0).rand(300, 7).astype(np.float32), "w"),
            helper.make_tensor("b", TensorProto.FLOAT, [7], range(7)),
        ],
        doc_string="what it is",
    )
    made = helper.make_model(graph, producer_name="test", opset_imports=[helper.make_opsetid("", 11)])
    made.ir_version = 6
    helper.set_model_props(made, {"key": "value"})
    return made


def test_the_pieces_are_the_models_bytes():
    assert b"".join(onnx_pieces.pieces(model())) == model().SerializeToString(deterministic=True)
    made = onnx.ModelProto()
    made.ParseFromString(b"".join(onnx_pieces.pieces(model())))
    assert made == model()


def test_no_piece_holds_more_than_one_initializer():
    assert max(map(len, onnx_pieces.pieces(model()))) < 300 * 7 * 4 + 100


def test_a_valid_model_passes_and_is_left_as_it_was():
    made = model()
    onnx_pieces.check(made)
    assert made == model()


def test_what_the_checker_refuses_is_refused():
    made = model()
    made.graph.node[0].op_type = "Gem"
    with pytest.raises(onnx.checker.ValidationError):
        onnx_pieces.check(made)


def test_an_initializer_of_too_few_numbers_is_refused():
    made = model()
    made.graph.initializer[0].dims[0] += 1
    with pytest.raises(onnx.checker.ValidationError):
        onnx_pieces.check(made)
