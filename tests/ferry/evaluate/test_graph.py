"""Ferry's float64 reference semantics against ONNX's own node tests, and its bounds against float32."""

import glob
import os
from typing import Dict, Iterator, List, Tuple

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper
from onnx.backend.test.loader import load_model_tests

from ferry.evaluate.bounded import Bounded
from ferry.evaluate.graph import Evaluator, evaluate_node, lacking
from ferry.evaluate.operators.arithmetic import add
from ferry.evaluate.registry import NotEvaluatedError
from ferry.graph import onnx_file

pytestmark = pytest.mark.fast

# ONNX 1.7 has these two divide by a length that is not whole; PyTorch, ONNX Runtime and TensorFlow do not.
ANOTHER_LENGTH = (
    "test_resize_downsample_scales_linear_align_corners",
    "test_resize_downsample_scales_cubic_align_corners",
)
UNITS = 2**-23


def _cases() -> Iterator[Tuple[str, onnx.ModelProto, Dict[str, np.ndarray], List[np.ndarray]]]:
    for kind in ("node", "simple", "pytorch-operator", "pytorch-converted"):
        for case in load_model_tests(kind=kind):
            model = onnx.load(os.path.join(case.model_dir, "model.onnx"))
            if case.name in ANOTHER_LENGTH or not 7 <= onnx_file.opset_of(model) <= 12 or lacking(model):
                continue
            weights = {entry.name for entry in model.graph.initializer}
            for folder in sorted(glob.glob(os.path.join(case.model_dir, "test_data_set_*"))):
                given, wanted = _tensors(folder, "input"), _tensors(folder, "output")
                names = [info.name for info in model.graph.input]
                free = [name for name in names if name not in weights] if len(given) < len(names) else names
                yield case.name, model, dict(zip(free, given)), wanted


def _tensors(folder: str, kind: str) -> List[np.ndarray]:
    count = len(glob.glob(os.path.join(folder, f"{kind}_*.pb")))
    return [numpy_helper.to_array(onnx.load_tensor(os.path.join(folder, f"{kind}_{at}.pb"))) for at in range(count)]


def test_onnx_node_tests():
    """Every node test of an operator that is known: its values, to float32's rounding of them or the bound."""
    passed, refused = 0, []
    for name, model, given, wanted in _cases():
        names = [info.name for info in model.graph.output]
        try:
            made = Evaluator(model).evaluate(model.graph.node, given, names)
        except NotEvaluatedError as error:
            refused.append(f"{name}: {error}")
            continue
        for output, array in zip(names, wanted):
            value, error = made[output]
            assert value.shape == array.shape and value.dtype.kind == array.dtype.kind, name
            if array.dtype.kind == "f":
                limit = (0.0 if error is None else error) + UNITS * np.abs(array) + 1e-37
                same = (value == array) | (np.isnan(value) & np.isnan(array))
                assert (same | (np.abs(value - array) <= limit)).all(), name
            else:
                assert np.array_equal(value, array), name
        passed += 1
    assert passed >= 587, refused
    assert len(refused) <= 13, refused


def _float32(node: onnx.NodeProto, arrays: Dict[str, np.ndarray]) -> List[np.ndarray]:
    graph = helper.make_graph(
        [node],
        "one",
        [
            helper.make_tensor_value_info(name, onnx.mapping.NP_TYPE_TO_TENSOR_TYPE[array.dtype], array.shape)
            for name, array in arrays.items()
        ],
        [onnx.ValueInfoProto(name=name) for name in node.output],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)])
    model.ir_version = 6
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model.SerializeToString(), options).run(None, arrays)


def _random(*shape: int, scale: float = 1.0) -> np.ndarray:
    return (np.random.RandomState(len(shape)).standard_normal(shape) * scale).astype(np.float32)


SHAPES = {
    "Conv": (
        [("x", (2, 6, 11, 9)), ("w", (8, 3, 3, 3)), ("b", (8,))],
        {"group": 2, "strides": [2, 1], "pads": [1] * 4},
    ),
    "ConvTranspose": ([("x", (1, 4, 5, 6)), ("w", (4, 3, 3, 2)), ("b", (3,))], {"strides": [2, 2], "group": 1}),
    "Gemm": ([("x", (5, 70)), ("w", (9, 70)), ("b", (9,))], {"transB": 1}),
    "MatMul": ([("x", (2, 3, 5, 40)), ("w", (3, 40, 7))], {}),
    "GlobalAveragePool": ([("x", (1, 3, 40, 41))], {}),
    "AveragePool": ([("x", (1, 3, 12, 12))], {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1] * 4}),
    "InstanceNormalization": ([("x", (1, 4, 30, 30)), ("w", (4,)), ("b", (4,))], {}),
    "Softmax": ([("x", (3, 50))], {"axis": 1}),
    "LSTM": ([("x", (5, 2, 6)), ("w", (1, 12, 6)), ("r", (1, 12, 3)), ("b", (1, 24))], {"hidden_size": 3}),
    "ReduceL2": ([("x", (3, 50))], {"axes": [1]}),
    **{name: ([("x", (4, 250))], {}) for name in ("Erf", "Tanh", "Sigmoid", "Exp", "Elu", "Softplus", "Sin", "Floor")},
    **{name: ([("x", (4, 250)), ("w", (4, 250))], {}) for name in ("Add", "Div", "Mul", "Sub", "Max")},
}


@pytest.mark.parametrize("operator", sorted(SHAPES))
@pytest.mark.parametrize("scale", [1e-3, 1.0, 30.0])
def test_float32_is_within_the_bound_and_not_far_below_it(operator: str, scale: float):
    """ONNX Runtime stays within, and a value off by a thousandth of the scale does not."""
    named, attributes = SHAPES[operator]
    arrays = {name: _random(*shape, scale=scale if name == "x" else 1.0) for name, shape in named}
    node = helper.make_node(operator, list(arrays), ["y"], **attributes)
    (made,) = _float32(node, arrays)
    wide = {name: array.astype(np.float64) for name, array in arrays.items()}
    (value, error), *_ = evaluate_node(node, [Bounded(array) for array in wide.values()], 11, bounds=True)
    limit = np.zeros(value.shape) if error is None else error
    judged = np.isfinite(limit)
    assert judged.mean() > 0.5
    assert (np.abs(made - value)[judged] <= limit[judged]).all()
    # The mean of 1,640 values of both signs is a fortieth of their magnitude, and the bound is of that.
    assert np.median(limit[judged]) < 5e-3 * np.abs(value[judged]).mean() + 1e-6


def test_a_comparison_that_hangs_on_a_rounding_may_come_out_either_way():
    x = np.array([[1e-8, 1.0, -1.0]], np.float32)
    nodes = [
        helper.make_node("Add", ["x", "one"], ["more"]),
        helper.make_node("Greater", ["more", "one"], ["positive"]),
        helper.make_node("Where", ["positive", "x", "one"], ["y"]),
    ]
    info = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, 3])
    graph = helper.make_graph(nodes, "g", [info], [], [numpy_helper.from_array(np.ones(1, np.float32), "one")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)])
    made = Evaluator(model).evaluate(nodes, {"x": x}, ["positive", "y"])
    assert made["positive"].value.tolist() == [[True, True, False]]
    assert made["positive"].error.tolist() == [[1.0, 0.0, 0.0]]
    assert made["y"].error[0, 0] == pytest.approx(1.0) and made["y"].error[0, 1] == 0


def test_zeros_add_no_rounding():
    """The bound of a sum counts the terms that are there: a sparse input shows a weight that is a little off."""
    weights = _random(1, 4096)
    x = np.zeros((4096, 1))
    x[7] = 1.0
    node = helper.make_node("MatMul", ["w", "x"], ["y"])
    (made,) = evaluate_node(node, [Bounded(weights.astype(np.float64)), Bounded(x)], 11, bounds=True)
    assert made.error < 1e-6 * np.abs(made.value)


def test_what_is_not_known_is_named():
    node = helper.make_node("Unheard", ["x"], ["y"], domain="com.example")
    graph = helper.make_graph([node], "g", [], [])
    assert lacking(helper.make_model(graph)) == ["com.example.Unheard"]
    with pytest.raises(NotEvaluatedError, match=r"com\.example\.Unheard"):
        evaluate_node(node, [], 11)


def test_terms_may_be_added_in_another_order():
    generator = np.random.RandomState(0)
    first = generator.randn(4096)
    # Where the first two cancel each other, what the last two round by is left whole.
    second, third = -first * (1 + 1e-6 * generator.rand(4096)), generator.randn(4096)
    terms = [np.float32(each) for each in (first, second, third)]
    wide = [Bounded(each.astype(np.float64)) for each in terms]
    bounded = add(add(wide[0], wide[1], True), wide[2], True)
    off = np.abs((terms[0] + (terms[1] + terms[2])) - bounded.value)
    assert (off <= bounded.error).all()
    assert bounded.error.max() < 1e-5
