import numpy as np
import pytest
from onnx import helper

from ferry.graph.passes.join_channels import join_channels
from onnx_models import assert_rewritten, model_of, normal

pytestmark = pytest.mark.fast

SHAPE = [1, 3, 4, 5]
X = {"x": normal(9, *SHAPE)}


def transform(order=(0, 1, 2), scaled=True, shape=SHAPE):
    nodes, constants = [], {}
    for position, index in enumerate(order):
        constants[f"i{position}"] = np.array(index, np.int64)
        nodes.append(helper.make_node("Gather", ["x", f"i{position}"], [f"g{position}"], axis=1))
        nodes.append(helper.make_node("Unsqueeze", [f"g{position}"], [f"c{position}"], axes=[1]))
        if scaled:
            constants[f"f{position}"] = np.float32(0.4 + position).reshape(())
            constants[f"s{position}"] = np.float32(position - 0.3).reshape(())
            nodes.append(helper.make_node("Mul", [f"c{position}", f"f{position}"], [f"m{position}"]))
            nodes.append(helper.make_node("Add", [f"m{position}", f"s{position}"], [f"a{position}"]))
    names = [f"{'a' if scaled else 'c'}{position}" for position in range(len(order))]
    nodes.append(helper.make_node("Concat", names, ["y"], name="joined", axis=1))
    return model_of(nodes, {"x": shape}, constants)


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 1, -1)])
def test_torchvisions_transform_is_a_factor_and_a_shift(order):
    assert assert_rewritten(transform(order), join_channels, X) == ["Mul", "Add"]


@pytest.mark.parametrize("options", [{"order": (2, 1, 0)}, {"order": (0, 1)}, {"order": (0, 1, 1)}, {"scaled": False}])
def test_anything_else_stays(options):
    assert "Gather" in assert_rewritten(transform(**options), join_channels, X)
