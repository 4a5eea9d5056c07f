from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper

from converted import assert_converted
from ferry.tflite import flatbuffer
from onnx_models import after_a_convolution, model_of, normal

NODE = helper.make_node("MatMul", ["x", "b"], ["y"], name="it")
SIZES = st.integers(1, 4)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.lists(SIZES, min_size=2, max_size=4), SIZES, st.booleans())
def test_by_a_constant_matrix(shape, columns, after):
    constants = {"b": normal(1, shape[-1], columns)}
    make = after_a_convolution if after and len(shape) > 2 else model_of
    model = make(
        [helper.make_node("MatMul", ["x", "b"], ["y"], name="it")],
        *([shape] if after and len(shape) > 2 else [{"x": shape}]),
        constants,
    )
    assert_converted(model, {"x": normal(2, *shape)})


@settings(max_examples=25, deadline=None, derandomize=True)
@given(SIZES, SIZES, SIZES, st.lists(SIZES, max_size=2), st.lists(st.booleans(), min_size=4, max_size=4), st.booleans())
def test_of_batches_that_broadcast(rows, inner, columns, batch, ones, constant):
    left = [1 if one else size for one, size in zip(ones, batch)] + [rows, inner]
    right = [1 if one else size for one, size in zip(ones[2:], batch)] + [inner, columns]
    x, b = normal(1, *left), normal(2, *right)
    if constant:
        assert_converted(model_of([NODE], {"x": left}, {"b": b}), {"x": x})
    else:
        assert_converted(model_of([NODE], {"x": left, "b": right}), {"x": x, "b": b})


def test_a_linear_layer_of_sequences_is_one_matrix_product():
    data = assert_converted(model_of([NODE], {"x": [2, 5, 8]}, {"b": normal(1, 8, 3)}), {"x": normal(2, 2, 5, 8)})
    assert flatbuffer.operators(data) == {"RESHAPE": 2, "FULLY_CONNECTED": 1}
