import pytest
from onnx import helper

from ferry.tflite_graph import flatbuffer
from onnx_models import assert_carried, model_of, normal


@pytest.mark.parametrize("shape", [(1, 3, 5), (2, 3, 5, 7), (1, 2, 3, 4, 5)])
def test_it_is_one_mean_over_the_spatial_axes(shape):
    model = model_of([helper.make_node("GlobalAveragePool", ["x"], ["y"], name="pool")], {"x": list(shape)})
    data = assert_carried(model, {"x": normal(1, *shape)})
    assert flatbuffer.operators(data) == {"MEAN": 1}
