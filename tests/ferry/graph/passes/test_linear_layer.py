import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper

from ferry.graph.check_graph import check
from ferry.graph.from_onnx import from_onnx
from ferry.graph.passes.linear_layer import linear_layer
from ferry.graph.to_onnx import to_onnx
from onnx_models import model_of, normal, run_onnx

pytestmark = pytest.mark.fast


@st.composite
def layers(draw):
    operator = draw(st.sampled_from(["Conv", "ConvTranspose", "Gemm"]))
    group = 1 if operator == "Gemm" else draw(st.integers(1, 3))
    ins, outs = group * draw(st.integers(1, 3)), group * draw(st.integers(1, 3))
    constants = {"b": normal(2, outs)} if draw(st.booleans()) else {}
    if operator == "Gemm":
        rows = draw(st.booleans())
        constants = {"w": normal(1, *((outs, ins) if rows else (ins, outs))), **constants}
        return helper.make_node("Gemm", ["x", *constants], ["y"], transB=int(rows)), [2, ins], constants, outs
    shape = [outs, ins // group, 3, 2] if operator == "Conv" else [ins, outs // group, 3, 2]
    constants = {"w": normal(1, *shape), **constants}
    node = helper.make_node(operator, ["x", *constants], ["y"], group=group, kernel_shape=[3, 2])
    return node, [2, ins, 5, 4], constants, outs


@settings(max_examples=40, deadline=None, derandomize=True)
@given(layers())
def test_scales_and_shifts_are_taken_in(case):
    node, shape, constants, outs = case
    model = model_of([node], {"x": shape}, constants)
    graph = from_onnx(model)
    layer = linear_layer(graph.nodes[0])
    assert (layer.inputs, layer.outputs, layer.rank) == (shape[1], outs, len(shape))
    inward, outward, shift = normal(4, shape[1]), normal(5, outs), normal(6, shape[1])
    if node.op_type == "ConvTranspose":
        assert not layer.sees_only_input
        shift = shift * 0
    x = normal(3, *shape)
    spread = [1, -1] + [1] * (len(shape) - 2)
    given_input = x * inward.reshape(spread) + shift.reshape(spread)
    expected = run_onnx(model, {"x": given_input})[0] * outward.reshape(spread)
    layer.shift_inputs(shift)
    layer.scale_inputs(inward)
    layer.scale_outputs(outward)
    layer.store(graph)
    check(graph)
    np.testing.assert_allclose(
        run_onnx(to_onnx(graph), {"x": x})[0], expected, rtol=0, atol=5e-6 * np.abs(expected).max()
    )


@pytest.mark.parametrize(
    "node",
    [
        helper.make_node("Relu", ["x"], ["y"]),
        helper.make_node("Gemm", ["x", "x"], ["y"]),
        helper.make_node("Gemm", ["x", "w"], ["y"], alpha=2.0),
    ],
    ids=["not linear", "computed weights", "scaled"],
)
def test_what_is_not_linear_or_not_constant_is_none(node):
    graph = from_onnx(model_of([node], {"x": [2, 2]}, {"w": normal(1, 2, 2)}))
    assert linear_layer(graph.nodes[0]) is None


def test_nothing_is_no_layer():
    assert linear_layer(None) is None
