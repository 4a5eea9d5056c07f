import numpy as np
import pytest
from onnx import helper

from ferry.graph.passes.join_affines import join_affines
from onnx_models import assert_rewritten, model_of, normal

pytestmark = pytest.mark.fast

SHAPE = [1, 3, 4, 5]


def chain(*operators, shape=(3, 1, 1), then=None, of=SHAPE, outputs=None):
    nodes, constants, name = [], {"w": normal(1, 2, 3, 2, 2)}, "x"
    for position, operator in enumerate(operators):
        constants[f"k{position}"] = np.asarray(normal(position, *shape) + 3, np.float32)
        nodes.append(helper.make_node(operator, [name, f"k{position}"], [f"t{position}"], name=f"n{position}"))
        name = f"t{position}"
    if then == "Conv":
        nodes.append(helper.make_node("Conv", [name, "w"], ["y"], name="conv", pads=[1, 1, 0, 0]))
    return model_of(nodes, {"x": of}, constants, outputs)


@pytest.mark.parametrize("operators", [("Sub", "Div"), ("Mul", "Add"), ("Add", "Mul"), ("Div", "Sub")])
def test_two_are_one_batch_norm(operators):
    assert assert_rewritten(chain(*operators), join_affines, {"x": normal(9, *SHAPE)}) == ["BatchNormalization"]


def test_three_are_one_too():
    model = chain("Sub", "Div", "Add", then="Conv")
    assert assert_rewritten(model, join_affines, {"x": normal(9, *SHAPE)}) == ["BatchNormalization", "Conv"]


def test_scalars_are_joined_where_a_convolution_reads_them():
    x = {"x": normal(9, *SHAPE)}
    assert assert_rewritten(chain("Div", "Sub", shape=()), join_affines, x) == ["Div", "Sub"]
    made = assert_rewritten(chain("Div", "Sub", shape=(), then="Conv"), join_affines, x)
    assert made == ["BatchNormalization", "Conv"]


@pytest.mark.parametrize(
    "options",
    [{"shape": (1, 1, 5)}, {"of": [1, 4, 3], "shape": (3,)}, {"of": [1, 1, 4, 5]}, {"outputs": ["t0", "t1"]}],
    ids=["width", "no image", "more channels", "read in the middle"],
)
def test_any_other_stays(options):
    model = chain("Mul", "Add", **options)
    shape = options.get("of", SHAPE)
    assert assert_rewritten(model, join_affines, {"x": normal(9, *shape)}) == ["Mul", "Add"]
