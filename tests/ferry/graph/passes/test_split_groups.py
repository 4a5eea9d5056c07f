import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from onnx import helper

from converted import assert_converted
from ferry.graph.onnx_file import initializers
from ferry.graph.passes import split_groups as module
from ferry.graph.passes.split_groups import split_groups
from ferry.tflite import flatbuffer
from onnx_models import assert_rewritten, model_of, normal


def grouped(
    group, width, per_group=2, kernel=(3, 3), activation=None, bias=True, opset=11, outputs=None, spare=0, **options
):
    constants = {"w": normal(1, group * per_group, width, *kernel)}
    if bias:
        constants["b"] = normal(2, group * per_group)
    nodes = [
        helper.make_node(
            "Conv", ["x", *constants], ["c"], name="conv", group=group, kernel_shape=list(kernel), **options
        )
    ]
    if activation:
        nodes.append(helper.make_node(activation, ["c"], ["y"], name="act"))
    if spare:
        # Weights beside which a few zeros more do not count.
        nodes.append(helper.make_node("MatMul", [nodes[-1].output[0], "spare"], ["s"], name="spare"))
        constants["spare"] = normal(3, *spare)
    shape = [1, group * width, *[7, 6, 5][: len(kernel)]]
    return model_of(nodes, {"x": shape}, constants, outputs, opset), {"x": normal(9, *shape)}


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.data())
def test_it_computes_the_same(data):
    rank = data.draw(st.integers(1, 3))
    group, width = data.draw(st.integers(2, 6)), data.draw(st.integers(1, 5))
    assume(width > 1 or rank == 3)
    kernel = [data.draw(st.integers(1, 3)) for _ in range(rank)]
    model, x = grouped(
        group, width, data.draw(st.integers(1, 3)), kernel, data.draw(st.sampled_from([None, "Relu", "Sigmoid"])),
        data.draw(st.booleans()), data.draw(st.sampled_from([10, 11])),
        strides=[data.draw(st.integers(1, 2)) for _ in range(rank)],
        pads=data.draw(st.lists(st.integers(0, 2), min_size=2 * rank, max_size=2 * rank)),
    )  # fmt: skip
    made = assert_rewritten(model, split_groups, x)
    assert not any(entry.name == "group" and entry.i > 1 for node in model.graph.node for entry in node.attribute)
    assert made.count("Conv") == group


def test_padding_that_is_not_same_is_one_pad_for_all_parts():
    model, x = grouped(4, 8, pads=[1, 1, 1, 1], strides=[2, 2])
    assert assert_rewritten(model, split_groups, x) == ["Pad", "Split", *["Conv"] * 4, "Concat"]


def test_bias_and_activation_go_with_each_part():
    model, x = grouped(2, 8, activation="Relu", pads=[1, 1, 1, 1])
    count = flatbuffer.operators(assert_converted(model, x))
    assert count == {"TRANSPOSE": 2, "SPLIT": 1, "CONV_2D": 2, "CONCATENATION": 1}


def test_an_activation_of_a_result_that_is_read_elsewhere_stays():
    model, x = grouped(2, 8, activation="Relu", outputs=["y", "c"])
    assert assert_rewritten(model, split_groups, x)[-1] == "Relu"


@pytest.mark.parametrize(("width", "parts"), [(2, 3), (3, 6), (4, 6), (5, 12)])
def test_narrow_groups_are_put_together_where_the_zeros_do_not_count(width, parts):
    model, x = grouped(12, width, spare=(4, 100000))
    assert assert_rewritten(model, split_groups, x).count("Conv") == parts


def test_where_the_zeros_would_count_they_stay_apart(monkeypatch):
    assert assert_rewritten(*_with(split_groups, grouped(12, 4))).count("Conv") == 12
    monkeypatch.setattr(module, "LARGEST_GROWTH", 10)
    assert assert_rewritten(*_with(split_groups, grouped(12, 4))).count("Conv") == 6


def _with(rewrite, case):
    return case[0], rewrite, case[1]


def test_weights_that_two_convolutions_share_stay_shared():
    nodes = [helper.make_node("Conv", [a, "w"], [b], name=b, group=2, kernel_shape=[1, 1]) for a, b in ("xc", "cy")]
    model = model_of(nodes, {"x": [1, 16, 4, 4]}, {"w": normal(1, 16, 8, 1, 1)})
    assert_rewritten(model, split_groups, {"x": normal(9, 1, 16, 4, 4)})
    assert sum(array.size for array in initializers(model).values()) == 16 * 8


def test_depthwise_ones_are_left_alone():
    model, x = grouped(4, 1)
    assert assert_rewritten(model, split_groups, x) == ["Conv"]
    assert np.array_equal(initializers(model)["w"], normal(1, 8, 1, 3, 3))
