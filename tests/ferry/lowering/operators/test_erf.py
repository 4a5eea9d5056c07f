import math

import numpy as np
from onnx import helper

from converted import assert_converted, run_tflite
from ferry.lowering import convert_onnx
from ferry.tflite import converter, flatbuffer
from onnx_models import both_layouts, model_of, normal


def erf_of(shape):
    return helper.make_node("Erf", ["x"], ["y"], name="it"), shape


def test_it_computes_what_onnx_runtime_does():
    node, shape = erf_of([1, 3, 4, 5])
    for model in both_layouts(node, shape):
        assert_converted(model, {"x": normal(1, *shape)})


def test_it_is_as_exact_as_float32_and_needs_no_flex():
    values = np.concatenate([np.linspace(-7, 7, 20001), np.logspace(-30, 1, 2000), [np.inf, -np.inf, 0.0]])
    x = values.astype(np.float32)
    node, shape = erf_of([len(x)])
    data = converter.convert(convert_onnx.convert(model_of([node], {"x": shape})), allow_flex=False)
    exact = np.array([math.erf(float(value)) for value in x])
    error = np.abs(run_tflite(data, {"x": x})[0].astype(np.float64) - exact)
    assert error.max() < 3e-7
    assert (error / np.spacing(np.abs(exact).astype(np.float32)))[exact != 0].max() < 8
    assert not flatbuffer.flex_operators(flatbuffer.operators(data))
