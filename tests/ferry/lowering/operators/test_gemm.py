from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper

from converted import assert_converted
from ferry.tflite import flatbuffer
from onnx_models import after_a_convolution, model_of, normal

SIZES = st.integers(1, 6)


def gemm_model(rows, inner, columns, trans_a=0, trans_b=0, alpha=1.0, beta=1.0, bias=None):
    constants = {"b": normal(1, *((columns, inner) if trans_b else (inner, columns)))}
    if bias:
        constants["c"] = normal(2, *bias)
    node = helper.make_node(
        "Gemm", ["a", *constants], ["y"], name="gemm", transA=trans_a, transB=trans_b, alpha=alpha, beta=beta
    )
    return model_of([node], {"a": [inner, rows] if trans_a else [rows, inner]}, constants)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(SIZES, SIZES, SIZES, st.integers(0, 1), st.integers(0, 1), st.sampled_from([1.0, 0.5]), st.data())
def test_it_computes_what_onnx_runtime_does(rows, inner, columns, trans_a, trans_b, factor, data):
    bias = data.draw(st.sampled_from([None, (columns,), (1, columns), (rows, columns), (1,)]))
    model = gemm_model(rows, inner, columns, trans_a, trans_b, factor, factor, bias)
    assert_converted(model, {"a": normal(3, *((inner, rows) if trans_a else (rows, inner)))})


def test_a_linear_layer_is_one_operator():
    data = assert_converted(gemm_model(1, 8, 4, trans_b=1, bias=(4,)), {"a": normal(3, 1, 8)})
    assert flatbuffer.operators(data) == {"FULLY_CONNECTED": 1}


def test_a_flattening_before_it_needs_no_transpose():
    nodes = [
        helper.make_node("Flatten", ["x"], ["f"], name="flat"),
        helper.make_node("Gemm", ["f", "b", "c"], ["y"], name="gemm", transB=1),
    ]
    constants = {"b": normal(1, 7, 60), "c": normal(2, 7)}
    data = assert_converted(after_a_convolution(nodes, [2, 3, 4, 5], constants), {"x": normal(3, 2, 3, 4, 5)})
    assert flatbuffer.operators(data) == {"TRANSPOSE": 1, "CONV_2D": 1, "RESHAPE": 1, "FULLY_CONNECTED": 1}
