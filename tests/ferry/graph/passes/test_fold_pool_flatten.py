import pytest
from onnx import helper

from converted import assert_converted
from ferry.graph.passes.fold_pool_flatten import fold_pool_flatten
from onnx_models import model_of, normal, rewrite

SHAPE = [2, 3, 4, 5]


def net(after, outputs=("y",)):
    return model_of(
        [helper.make_node("GlobalAveragePool", ["x"], ["p"], name="pool"), after], {"x": SHAPE}, {}, outputs
    )


@pytest.mark.parametrize("after", [("Flatten", {}), ("Squeeze", {"axes": [2, 3]})])
def test_the_pair_becomes_one_mean(after):
    operator, attributes = after
    model = net(helper.make_node(operator, ["p"], ["y"], name="after", **attributes))
    rewrite(model, fold_pool_flatten)
    assert [node.op_type for node in model.graph.node] == ["ReduceMean"]
    assert_converted(model, {"x": normal(1, *SHAPE)})


def test_another_shape_after_it_stays():
    model = net(helper.make_node("Flatten", ["p"], ["y"], name="after", axis=0))
    rewrite(model, fold_pool_flatten)
    assert len(model.graph.node) == 2


def test_a_pool_that_is_an_output_stays():
    model = net(helper.make_node("Flatten", ["p"], ["y"], name="after"), outputs=["y", "p"])
    rewrite(model, fold_pool_flatten)
    assert len(model.graph.node) == 2
