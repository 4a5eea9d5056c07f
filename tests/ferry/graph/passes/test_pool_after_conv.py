import pytest
from onnx import helper

from converted import assert_converted
from ferry.graph.passes.pool_after_conv import pool_after_conv
from ferry.tflite import flatbuffer
from onnx_models import assert_rewritten, model_of, normal

SHAPE = [1, 6, 7, 8]
X = {"x": normal(9, *SHAPE)}


def branch(filters=4, bias=True, outputs=None, kernel=(1, 1), conv=None, **pool):
    options = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "count_include_pad": 1, **pool}
    constants = {"w": normal(1, filters, 6, *kernel), **({"b": normal(2, filters)} if bias else {})}
    nodes = [
        helper.make_node("AveragePool", ["x"], ["p"], name="pool", **options),
        helper.make_node("Conv", ["p", *constants], ["c"], name="conv", kernel_shape=list(kernel), **(conv or {})),
        helper.make_node("Relu", ["c"], ["y"], name="relu"),
    ]
    return model_of(nodes, {"x": SHAPE}, constants, outputs)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(
    "pool", [{}, {"pads": [0, 0, 0, 0]}, {"pads": [0, 0, 0, 0], "count_include_pad": 0}, {"kernel_shape": [2, 3]}]
)
def test_the_two_change_places(bias, pool):
    assert assert_rewritten(branch(bias=bias, **pool), pool_after_conv, X) == ["Conv", "Conv", "Relu"]


def test_in_tflite_they_are_two_operators():
    assert flatbuffer.operators(assert_converted(branch(), X)) == {"TRANSPOSE": 2, "CONV_2D": 1, "DEPTHWISE_CONV_2D": 1}


@pytest.mark.parametrize(
    "options",
    [
        {"filters": 7}, {"strides": [2, 2]}, {"count_include_pad": 0}, {"ceil_mode": 1}, {"outputs": ["y", "p"]},
        {"kernel": (2, 1)}, {"conv": {"strides": [2, 1]}}, {"conv": {"pads": [1, 0, 0, 0]}},
    ],
    ids=str,
)  # fmt: skip
def test_where_it_is_not_the_same_or_not_faster_they_stay(options):
    assert assert_rewritten(branch(**options), pool_after_conv, X) == ["AveragePool", "Conv", "Relu"]
