import pytest
from onnx import helper

from converted import assert_converted
from ferry.tflite import flatbuffer
from onnx_models import after_a_convolution, both_layouts, model_of, normal

SHAPE = [1, 3, 4, 5]


def node():
    return helper.make_node("PRelu", ["x", "slope"], ["y"], name="it")


@pytest.mark.parametrize("slope", [(1,), (3, 1, 1), (1, 3, 1, 1), (4, 5), (3, 4, 5), (1, 1, 5)])
def test_it_computes_what_onnx_runtime_does(slope):
    for model in both_layouts(node(), SHAPE, {"slope": normal(2, *slope)}):
        assert_converted(model, {"x": normal(1, *SHAPE)})


@pytest.mark.parametrize("shape", [[2, 3], [2, 3, 5]])
def test_in_fewer_dimensions_too(shape):
    for model in both_layouts(node(), shape, {"slope": normal(2, 3, *[1] * (len(shape) - 2))}):
        assert_converted(model, {"x": normal(1, *shape)})


@pytest.mark.parametrize("slope", [(1,), (3, 1, 1, 1), (4, 1, 6), (3, 1, 5, 1)])
def test_in_five_dimensions(slope):
    shape = [2, 3, 4, 5, 6]
    for make in (after_a_convolution, lambda nodes, *rest: model_of(nodes, rest[0], rest[1])):
        sizes = shape if make is after_a_convolution else {"x": shape}
        data = assert_converted(make([node()], sizes, {"slope": normal(2, *slope)}), {"x": normal(1, *shape)})
        assert flatbuffer.operators(data)["PRELU"] == 1


@pytest.mark.parametrize("slope", [(1,), (3, 1, 1)])
def test_it_is_one_operator(slope):
    data = assert_converted(
        after_a_convolution([node()], SHAPE, {"slope": normal(2, *slope)}), {"x": normal(1, *SHAPE)}
    )
    assert flatbuffer.operators(data) == {"TRANSPOSE": 2, "CONV_2D": 1, "PRELU": 1}


def test_a_slope_that_is_computed_is_converted():
    model = after_a_convolution([node()], SHAPE, more_inputs={"slope": [3, 1, 1]})
    assert_converted(model, {"x": normal(1, *SHAPE), "slope": normal(2, 3, 1, 1)})
