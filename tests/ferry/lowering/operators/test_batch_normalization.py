import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper

from converted import assert_converted
from ferry.tflite import flatbuffer
from onnx_models import model_of, normal


def norm_model(shape, epsilon):
    channels = shape[1]
    constants = {
        "scale": normal(1, channels),
        "shift": normal(2, channels),
        "mean": normal(3, channels),
        "variance": np.abs(normal(4, channels)) + np.float32(0.01),
    }
    node = helper.make_node("BatchNormalization", ["x", *constants], ["y"], name="norm", epsilon=epsilon)
    return model_of([node], {"x": shape}, constants)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    st.one_of(
        st.tuples(st.integers(1, 3), st.integers(1, 5)),
        st.tuples(st.integers(1, 2), st.integers(1, 5), st.integers(1, 6)),
        st.tuples(st.integers(1, 2), st.integers(1, 5), st.integers(1, 6), st.integers(1, 6)),
    ),
    st.sampled_from([1e-5, 1e-3]),
)
def test_it_computes_what_onnx_runtime_does(shape, epsilon):
    assert_converted(norm_model(list(shape), epsilon), {"x": normal(5, *shape)})


def test_of_an_image_it_is_one_operator():
    data = assert_converted(norm_model([1, 3, 4, 5], 1e-5), {"x": normal(5, 1, 3, 4, 5)})
    assert flatbuffer.operators(data) == {"TRANSPOSE": 2, "DEPTHWISE_CONV_2D": 1}
