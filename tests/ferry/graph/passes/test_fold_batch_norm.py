import numpy as np
import pytest
from onnx import helper

from ferry.graph.onnx_file import initializers
from ferry.graph.passes.fold_batch_norm import fold_batch_norm
from onnx_models import assert_rewritten, model_of, normal, rewrite, run_onnx

pytestmark = pytest.mark.fast


def net(bias=True, second_reader=False, shared_weight=False):
    norm = ["scale", "shift", "mean", "variance"]
    nodes = [
        helper.make_node("Conv", ["x", "w"] + ["b"] * bias, ["c"], name="conv", kernel_shape=[3, 3]),
        helper.make_node("BatchNormalization", ["c", *norm], ["n"], name="norm", epsilon=1e-3),
        helper.make_node("Relu", ["n"], ["r"]),
    ]
    outputs = ["r"]
    if second_reader:
        nodes.append(helper.make_node("Exp", ["c"], ["e"]))
        outputs.append("e")
    if shared_weight:
        nodes.append(helper.make_node("Conv", ["x", "w"], ["d"], name="other", kernel_shape=[3, 3]))
        outputs.append("d")
    constants = {
        "w": normal(1, 4, 2, 3, 3), "b": normal(2, 4), "scale": normal(3, 4), "shift": normal(4, 4),
        "mean": normal(5, 4), "variance": np.abs(normal(6, 4)) + np.float32(0.1),
    }  # fmt: skip
    return model_of(nodes, {"x": [1, 2, 6, 6]}, constants, outputs)


def folded(**options):
    model = net(**options)
    rewrite(model, fold_batch_norm)
    return model


@pytest.mark.parametrize("bias", [True, False])
def test_the_pair_becomes_one_convolution(bias):
    model = folded(bias=bias)
    assert [node.op_type for node in model.graph.node] == ["Conv", "Relu"]
    x = normal(7, 1, 2, 6, 6)
    np.testing.assert_allclose(run_onnx(model, {"x": x})[0], run_onnx(net(bias=bias), {"x": x})[0], rtol=0, atol=2e-5)


def test_the_weights_are_folded_in_float64_and_rounded_once():
    before, after = initializers(net()), initializers(folded())
    scale, variance = before["scale"].astype(np.float64), before["variance"].astype(np.float64)
    # ONNX keeps the epsilon as a float32.
    exact = before["w"] * (scale / np.sqrt(variance + np.float64(np.float32(1e-3)))).reshape(-1, 1, 1, 1)
    np.testing.assert_array_equal(after["w_folded"], exact.astype(np.float32))
    assert after["w_folded"].dtype == np.float32


@pytest.mark.parametrize("why", ["second_reader", "shared_weight"])
def test_it_is_left_where_folding_would_change_another_result(why):
    model = folded(**{why: True})
    assert "BatchNormalization" in [node.op_type for node in model.graph.node]
    x = normal(7, 1, 2, 6, 6)
    for made, wanted in zip(run_onnx(model, {"x": x}), run_onnx(net(**{why: True}), {"x": x})):
        np.testing.assert_array_equal(made, wanted)


NORM = {"scale": normal(3, 4), "shift": normal(4, 4), "mean": normal(5, 4), "variance": np.abs(normal(6, 4)) + 0.1}


def norm_of(source, target):
    return helper.make_node("BatchNormalization", [source, *NORM], [target], name=target)


@pytest.mark.parametrize("operator", ["Conv", "ConvTranspose", "Gemm"])
@pytest.mark.parametrize("bias", [True, False])
def test_it_folds_into_each_kind_of_linear_layer(operator, bias):
    shape = [2, 3] if operator == "Gemm" else [2, 3, 5, 5]
    weight = {"Conv": [4, 3, 2, 2], "ConvTranspose": [3, 4, 2, 2], "Gemm": [3, 4]}[operator]
    constants = {"w": normal(1, *weight), **({"b": normal(2, 4)} if bias else {})}
    layer = helper.make_node(operator, ["x", *constants], ["c"], name="layer")
    model = model_of([layer, norm_of("c", "y")], {"x": shape}, {**constants, **NORM})
    assert assert_rewritten(model, fold_batch_norm, {"x": normal(7, *shape)}) == [operator]


ARITHMETIC = [
    ("Mul", [1, 4, 1, 1], False), ("Mul", [], True), ("Add", [4, 1, 1], True), ("Sub", [4, 1, 1], False),
    ("Sub", [1], True), ("Div", [4, 1, 1], False),
]  # fmt: skip


@pytest.mark.parametrize(("operator", "shape", "first"), ARITHMETIC)
def test_arithmetic_with_constants_folds_into_the_convolution_before(operator, shape, first):
    conv = helper.make_node("Conv", ["x", "w"], ["c"], name="conv")
    operands = ["k", "c"] if first else ["c", "k"]
    constants = {"w": normal(1, 4, 3, 2, 2), "k": np.asarray(normal(2, *shape) + 3, np.float32)}
    model = model_of([conv, helper.make_node(operator, operands, ["y"])], {"x": [1, 3, 5, 5]}, constants)
    assert assert_rewritten(model, fold_batch_norm, {"x": normal(7, 1, 3, 5, 5)}) == ["Conv"]


@pytest.mark.parametrize(("operator", "first"), [("Div", True), ("Mul", False)])
def test_what_is_no_factor_or_shift_of_channels_stays(operator, first):
    conv = helper.make_node("Conv", ["x", "w"], ["c"], name="conv")
    operands = ["k", "c"] if first else ["c", "k"]
    constant = normal(2, 4, 1, 1) if first else normal(2, 1, 1, 4)
    model = model_of(
        [conv, helper.make_node(operator, operands, ["y"])],
        {"x": [1, 3, 5, 5]},
        {"w": normal(1, 4, 3, 2, 2), "k": constant},
    )
    assert assert_rewritten(model, fold_batch_norm, {"x": normal(7, 1, 3, 5, 5)}) == ["Conv", operator]


@pytest.mark.parametrize(("pads", "left"), [([0, 0, 0, 0], ["Conv"]), ([1, 0, 0, 0], ["BatchNormalization", "Conv"])])
def test_it_folds_into_the_convolution_behind_only_where_that_pads_nothing(pads, left):
    conv = helper.make_node("Conv", ["n", "w", "b"], ["y"], name="conv", pads=pads, group=2)
    constants = {"w": normal(1, 6, 2, 2, 2), "b": normal(2, 6), **NORM}
    model = model_of([norm_of("x", "n"), conv], {"x": [1, 4, 5, 5]}, constants)
    assert assert_rewritten(model, fold_batch_norm, {"x": normal(7, 1, 4, 5, 5)}) == left


def test_a_constant_that_makes_channels_stays():
    add = helper.make_node("Add", ["x", "k"], ["wide"])
    conv = helper.make_node("Conv", ["wide", "w"], ["y"], name="conv")
    model = model_of([add, conv], {"x": [1, 1, 5, 5]}, {"k": normal(2, 4, 1, 1), "w": normal(1, 6, 4, 2, 2)})
    assert assert_rewritten(model, fold_batch_norm, {"x": normal(7, 1, 1, 5, 5)}) == ["Add", "Conv"]


def test_weights_used_twice_fold_once_where_all_is_the_same_behind_them():
    nodes = []
    for source, middle, target in (("x", "c", "n"), ("n", "d", "y")):
        nodes.append(helper.make_node("Conv", [source, "w"], [middle], name=middle, pads=[1, 1, 1, 1]))
        nodes.append(norm_of(middle, target))
    model = model_of(nodes, {"x": [1, 4, 5, 5]}, {"w": normal(1, 4, 4, 3, 3), **NORM})
    assert assert_rewritten(model, fold_batch_norm, {"x": normal(7, 1, 4, 5, 5)}) == ["Conv", "Conv"]
    assert [array.size for array in initializers(model).values()] == [4 * 4 * 9, 4]
