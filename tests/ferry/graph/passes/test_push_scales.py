import numpy as np
import pytest
from onnx import helper

from ferry.graph.passes.push_scales import push_scales
from onnx_models import assert_rewritten, model_of, normal

pytestmark = pytest.mark.fast

SHAPE = [1, 4, 6, 6]
X = {"x": normal(9, *SHAPE)}


def model_with(nodes, scale=None, outputs=None, **constants):
    norm = {
        "scale": np.abs(normal(3, 4)) + np.float32(0.1) if scale is None else np.array(scale, np.float32),
        "shift": normal(4, 4), "mean": normal(5, 4), "variance": np.abs(normal(6, 4)) + np.float32(0.1),
    }  # fmt: skip
    first = helper.make_node("BatchNormalization", ["x", *norm], ["n"], name="norm")
    return model_of([first, *nodes], {"x": SHAPE}, {**norm, **constants}, outputs)


def conv(source="r", target="y", weight="w", **options):
    return helper.make_node("Conv", [source, weight], [target], name=target, **{"pads": [1, 1, 1, 1], **options})


RELU = helper.make_node("Relu", ["n"], ["r"])
W = normal(1, 6, 4, 3, 3)


def test_a_norm_before_its_relu_and_convolution_is_one_addition():
    assert assert_rewritten(model_with([RELU, conv()], w=W), push_scales, X) == ["Add", "Relu", "Conv"]


def test_all_who_read_it_may_take_the_scale():
    nodes = [RELU, conv(target="y"), conv(target="z", weight="v")]
    model = model_with(nodes, w=W, v=normal(2, 3, 4, 3, 3), outputs=["y", "z"])
    assert assert_rewritten(model, push_scales, X) == ["Add", "Relu", "Conv", "Conv"]


def test_it_goes_through_a_global_pool_to_the_classifier():
    nodes = [
        RELU,
        helper.make_node("MaxPool", ["r"], ["m"], kernel_shape=[2, 2]),
        helper.make_node("GlobalAveragePool", ["m"], ["p"]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Gemm", ["f", "w"], ["y"]),
    ]
    made = assert_rewritten(model_with(nodes, w=normal(1, 4, 5)), push_scales, X)
    assert made == ["Add", "Relu", "MaxPool", "GlobalAveragePool", "Flatten", "Gemm"]


def test_without_a_shift_nothing_stays():
    scale = helper.make_node("Mul", ["x", "k"], ["n"])
    model = model_of([scale, RELU, conv()], {"x": SHAPE}, {"k": np.float32(2.5).reshape(()), "w": W})
    assert assert_rewritten(model, push_scales, X) == ["Identity", "Relu", "Conv"]


@pytest.mark.parametrize(
    ("nodes", "scale", "outputs"),
    [
        ([RELU, conv()], [1, -1, 1, 1], ["y"]),
        ([RELU, conv()], [1, 0, 1, 1], ["y"]),
        ([RELU, conv()], None, ["y", "r"]),
        ([helper.make_node("Sigmoid", ["n"], ["r"]), conv()], None, ["y"]),
        ([RELU, conv(), conv(target="z")], None, ["y", "z"]),
        ([RELU, helper.make_node("Flatten", ["r"], ["f"]), helper.make_node("Gemm", ["f", "g"], ["y"])], None, ["y"]),
        ([RELU, helper.make_node("Softmax", ["r"], ["y"])], None, ["y"]),
    ],
    ids=["negative", "zero", "output", "sigmoid", "shared weights", "flattened positions", "no layer"],
)
def test_where_that_is_not_exact_the_norm_stays(nodes, scale, outputs):
    constants = {"w": W, "g": normal(2, 4 * 6 * 6, 3)}
    assert assert_rewritten(model_with(nodes, scale, outputs, **constants), push_scales, X)[0] == "BatchNormalization"
