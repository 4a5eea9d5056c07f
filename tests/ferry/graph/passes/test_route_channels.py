import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper

from ferry.graph.passes.route_channels import route_channels
from onnx_models import assert_rewritten, model_of, normal

pytestmark = pytest.mark.fast


class Net:
    """A chain of ShuffleNet's units: half of the channels goes through a convolution, then all are shuffled."""

    def __init__(self, channels):
        self.nodes, self.constants, self.seed = [], {}, 0
        self.channels = channels

    def conv(self, source, target, ins, outs, group=1, activation="Relu"):
        self.seed += 1
        weight, bias = f"w{self.seed}", f"b{self.seed}"
        self.constants[weight], self.constants[bias] = (
            normal(self.seed, outs, ins // group, 1, 1),
            normal(self.seed + 99, outs),
        )
        middle = f"{target}_raw" if activation else target
        self.nodes.append(helper.make_node("Conv", [source, weight, bias], [middle], name=target, group=group))
        if activation:
            self.nodes.append(helper.make_node(activation, [middle], [target], name=f"{target}_act"))

    def unit(self, source, target, split=None):
        half = self.channels // 2
        lengths = split or [half, self.channels - half]
        self.nodes.append(helper.make_node("Split", [source], [f"{target}_l", f"{target}_r"], axis=1, split=lengths))
        self.conv(f"{target}_r", f"{target}_c", lengths[1], lengths[1])
        self.shuffle([f"{target}_l", f"{target}_c"], target)

    def shuffle(self, sources, target, order=None):
        self.nodes.append(helper.make_node("Concat", sources, [f"{target}_cat"], name=f"{target}_cat", axis=1))
        if order is None:
            order = np.arange(self.channels).reshape(2, -1).T.ravel()
        self.constants[f"{target}_order"] = np.array(order, np.int64)
        self.nodes.append(helper.make_node("Gather", [f"{target}_cat", f"{target}_order"], [target], axis=1))

    def model(self, outputs=None):
        return model_of(self.nodes, {"x": [1, 3, 4, 5]}, self.constants, outputs)


X = {"x": normal(77, 1, 3, 4, 5)}


def stage(units, channels=12, last="conv", orders=None):
    net = Net(channels)
    net.conv("x", "a", 3, channels // 2)
    net.conv("x", "b", 3, channels - channels // 2)
    net.shuffle(["a", "b"], "u0", orders)
    for position in range(units):
        net.unit(f"u{position}", f"u{position + 1}")
    if last == "conv":
        net.conv(f"u{units}", "y", channels, 5)
    elif last == "depthwise":
        net.conv(f"u{units}", "d", channels, channels, group=channels, activation=None)
        net.conv("d", "y", channels, 5)
        net.conv(f"u{units}", "z", channels, 4)
    else:
        net.nodes.append(helper.make_node(last, [f"u{units}"], ["y"], name="y"))
    return net


@pytest.mark.parametrize("units", [0, 1, 2, 3, 5])
@pytest.mark.parametrize("last", ["conv", "depthwise"])
def test_shuffles_between_convolutions_vanish(units, last):
    outputs = ["y", "z"] if last == "depthwise" else ["y"]
    made = assert_rewritten(stage(units, last=last).model(outputs), route_channels, X)
    assert "Gather" not in made
    assert made.count("Split") <= units + 2


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.permutations(range(12)), st.integers(0, 3))
def test_any_order_of_channels_may(order, units):
    assert "Gather" not in assert_rewritten(stage(units, orders=order).model(), route_channels, X)


def test_an_order_that_somebody_sees_stays():
    assert "Gather" in assert_rewritten(stage(2, last="Softmax").model(), route_channels, X)
    assert "Gather" in assert_rewritten(stage(2).model(["y", "u1"]), route_channels, X)
    assert "Gather" in assert_rewritten(stage(2).model(["y", "a"]), route_channels, X)


@pytest.mark.parametrize("order", [[0] * 12, [0, 1, 2] * 4])
def test_channels_that_repeat_or_are_dropped_stay(order):
    assert "Gather" in assert_rewritten(stage(1, orders=order).model(), route_channels, X)


def test_weights_that_others_read_stay():
    net = stage(1)
    net.nodes.append(helper.make_node("Relu", ["w1"], ["spy"], name="spy"))
    assert "Gather" in assert_rewritten(net.model(["y", "spy"]), route_channels, X)


def test_a_split_alone_is_left_as_it_is():
    net = Net(12)
    net.conv("x", "a", 3, 12)
    net.nodes.append(helper.make_node("Split", ["a"], ["l", "r"], axis=1))
    net.nodes.append(helper.make_node("Concat", ["r", "l"], ["s"], axis=1))
    net.conv("s", "y", 12, 3)
    before = [node.op_type for node in net.nodes]
    assert assert_rewritten(net.model(), route_channels, X) == before
