import numpy as np
from onnx import helper

from converted import assert_converted
from ferry.frozen import frozen_graph
from ferry.graph.passes.valid_names import make_names_valid
from ferry.lowering import convert_onnx
from onnx_models import model_of, normal, rewrite


def odd_names():
    return model_of(
        [
            helper.make_node("Add", ["my input:0", "_w"], ["middle tensor"], name="output"),
            helper.make_node("Mul", ["middle tensor", "ä"], ["output"], name="Add 1"),
        ],
        {"my input:0": [2]},
        {"_w": normal(1, 2), "ä": normal(2, 2)},
    )


def test_names_become_ones_that_tensorflow_takes():
    model = odd_names()
    rewrite(model, make_names_valid)
    assert [entry.name for entry in model.graph.input] == ["my_input_0"]
    assert [entry.name for entry in model.graph.output] == ["output"]
    assert [node.name for node in model.graph.node] == ["output_1", "Add_1"]
    assert_converted(model, {"my_input_0": normal(3, 2)})


def test_good_names_stay():
    model = model_of([helper.make_node("Relu", ["input"], ["output"], name="Relu_0")], {"input": [2]})
    before = model.SerializeToString()
    assert not rewrite(model, make_names_valid)
    assert model.SerializeToString() == before


def test_the_bytes_are_the_same_twice():
    made = [frozen_graph.to_bytes(convert_onnx.convert(odd_names())) for _ in range(2)]
    assert made[0] == made[1]


def test_two_names_that_become_one_stay_apart():
    model = model_of([helper.make_node("Sub", ["a b", "a:b"], ["y"])], {"a b": [2], "a:b": [2]})
    rewrite(model, make_names_valid)
    assert [entry.name for entry in model.graph.input] == ["a_b", "a_b_1"]
    feeds = {"a_b": normal(1, 2), "a_b_1": normal(2, 2)}
    assert_converted(model, feeds)
    assert np.any(feeds["a_b"] != feeds["a_b_1"])
