"""The list of passes as a whole, on networks that give each of them something to do."""

import numpy as np
import onnx
import pytest
from onnx import helper

from ferry.graph import pass_list
from ferry.graph.from_onnx import from_onnx
from ferry.graph.onnx_file import initializers
from ferry.graph.onnx_node import line_of, note_line
from ferry.graph.pass_list import PASSES, REWRITING
from ferry.graph.pass_manager import PassError, PassManager
from ferry.graph.to_onnx import to_onnx
from onnx_models import local_response_norm, model_of, normal, run_onnx

pytestmark = pytest.mark.fast


def norm(seed, channels, prefix):
    shift, mean, *positive = (normal(seed + index, channels) for index in range(4))
    scale, variance = (np.abs(array) + np.float32(0.1) for array in positive)
    return {f"{prefix}_scale": scale, f"{prefix}_shift": shift, f"{prefix}_mean": mean, f"{prefix}_variance": variance}


def batch_norm(source, target, channels, constants, seed=10):
    parameters = norm(seed, channels, target)
    constants.update(parameters)
    return helper.make_node("BatchNormalization", [source, *parameters], [target], name=target, epsilon=1e-3)


def network():
    """Something for each pass of the list, on an input (1, 4, 8, 8)."""
    constants = {
        "zero": np.array(0, np.int64), "channels": np.array([4], np.int64), "rest": np.array([-1], np.int64),
        "std": np.abs(normal(1, 4, 1, 1)) + np.float32(0.5), "mean": normal(2, 4, 1, 1),
        "widths": np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64),
        "w1": normal(3, 8, 4, 3, 3), "w2": normal(4, 8, 8, 3, 3), "w3": normal(5, 8, 8, 1, 1),
        "w4": normal(6, 16, 8, 1, 1), "w5": normal(7, 16, 16, 1, 1), "w6": normal(8, 16, 8, 3, 3),
        "split": np.array([1, 2, 8, 8, 8], np.int64), "joined": np.array([1, 16, 8, 8], np.int64),
        "blocks": np.array([1, 4, 2, 2, 8, 8], np.int64), "large": np.array([1, 4, 16, 16], np.int64),
        "fc": normal(9, 4, 5),
    }  # fmt: skip
    node = helper.make_node
    nodes = [
        node("Sub", ["x", "mean"], ["centred"]),
        node("Div", ["centred", "std"], ["scaled"]),
        node("Pad", ["scaled", "widths"], ["padded"], name="pad"),
        node("Conv", ["padded", "w1"], ["c1"], name="conv1"),
        batch_norm("c1", "n1", 8, constants, 20),
        node("Relu", ["n1"], ["r1"]),
        batch_norm("r1", "n2", 8, constants, 30),
        node("Relu", ["n2"], ["r2"]),
        node("Conv", ["r2", "w2"], ["c2"], name="conv2", pads=[1, 1, 1, 1]),
        node("AveragePool", ["c2"], ["p"], name="pool", kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1),
        node("Conv", ["p", "w3"], ["c3"], name="conv3"),
        *local_response_norm("c3", "l3", constants),
        node("Conv", ["l3", "w4"], ["c4"], name="conv4"),
        node("Reshape", ["c4", "split"], ["s1"]),
        node("Transpose", ["s1"], ["s2"], perm=[0, 2, 1, 3, 4]),
        node("Reshape", ["s2", "joined"], ["s3"]),
        node("Conv", ["s3", "w5"], ["c5"], name="conv5"),
        node("Conv", ["c5", "w6"], ["c6"], name="conv6", group=2, pads=[1, 1, 1, 1]),
        node("Reshape", ["c6", "blocks"], ["b1"]),
        node("Transpose", ["b1"], ["b2"], perm=[0, 1, 4, 2, 5, 3]),
        node("Reshape", ["b2", "large"], ["b3"]),
        node("GlobalAveragePool", ["b3"], ["g"]),
        node("Shape", ["g"], ["shape"]),
        node("Gather", ["shape", "zero"], ["batch"], axis=0),
        node("Unsqueeze", ["batch"], ["batch_1"], axes=[0]),
        node("Concat", ["batch_1", "rest"], ["target"], axis=0),
        node("Reshape", ["g", "target"], ["flat"]),
        node("Gemm", ["flat", "fc"], ["y"], name="fc"),
    ]
    return model_of(nodes, {"x": [1, 4, 8, 8]}, constants)


def transformed():
    """torchvision's ``transform_input``, which join_channels is for."""
    constants, nodes = {"w": normal(1, 2, 3, 3, 3)}, []
    for index in range(3):
        constants.update(
            {f"i{index}": np.array(index, np.int64), f"f{index}": np.float32(index + 0.5).reshape(()),
             f"s{index}": np.float32(0.1 - index).reshape(())}
        )  # fmt: skip
        nodes += [
            helper.make_node("Gather", ["x", f"i{index}"], [f"g{index}"], axis=1),
            helper.make_node("Unsqueeze", [f"g{index}"], [f"u{index}"], axes=[1]),
            helper.make_node("Mul", [f"u{index}", f"f{index}"], [f"m{index}"]),
            helper.make_node("Add", [f"m{index}", f"s{index}"], [f"a{index}"]),
        ]
    nodes.append(helper.make_node("Concat", ["a0", "a1", "a2"], ["joined"], name="a joint", axis=1))
    nodes.append(helper.make_node("Conv", ["joined", "w"], ["y"], name="conv"))
    return model_of(nodes, {"x": [1, 3, 6, 6]}, constants)


NETWORKS = {"network": (network, [1, 4, 8, 8]), "transformed": (transformed, [1, 3, 6, 6])}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_graph_is_valid_after_each_pass_and_computes_the_same(name):
    build, shape = NETWORKS[name]
    graph = from_onnx(build())
    PassManager(PASSES, check=True).run(graph)
    made = to_onnx(graph)
    onnx.checker.check_model(made)
    x = normal(99, *shape)
    (expected,), (computed,) = run_onnx(build(), {"x": x}), run_onnx(made, {"x": x})
    np.testing.assert_allclose(computed, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_each_pass_has_something_to_do_in_them():
    for each in REWRITING:
        changed = False
        for build, _ in NETWORKS.values():
            graph = from_onnx(build())
            PassManager(REWRITING[: REWRITING.index(each)]).run(graph)
            changed |= each.run(graph)
        assert changed, f"no network of this test has anything for {each.name}"


@pytest.mark.parametrize("name", NETWORKS)
def test_run_again_no_pass_finds_anything(name):
    graph = from_onnx(NETWORKS[name][0]())
    PassManager(PASSES).run(graph)
    assert [each.name for each in PASSES if each.run(graph)] == []


@pytest.mark.parametrize("position", range(len(PASSES)), ids=[each.name for each in PASSES])
def test_a_key_error_in_a_pass_names_it_and_is_no_error_of_the_users(position):
    def fails(graph):
        raise KeyError("planted")

    fails.__name__ = PASSES[position].name
    planted = [*PASSES[:position], PASSES[position]._replace(run=fails), *PASSES[position + 1 :]]
    with pytest.raises(PassError, match=f"the graph pass {PASSES[position].name}: KeyError: 'planted'"):
        PassManager(planted).run(from_onnx(network()))


@pytest.mark.parametrize("name", NETWORKS)
def test_every_node_that_a_pass_makes_has_the_line_of_one_that_it_replaces(name):
    model = NETWORKS[name][0]()
    lines = {f"net.py:{number}": node for number, node in enumerate(model.graph.node, 1)}
    for line, node in lines.items():
        note_line(node, line)
    graph = from_onnx(model)
    for each in PASSES:
        PassManager([each]).run(graph)
        assert {node.line for node in graph} <= set(lines), f"{each.name} makes a node without a line"
    for node in to_onnx(graph).graph.node:
        original = next((old for old in model.graph.node if old.name and old.name == node.name), None)
        assert original is None or line_of(node) == line_of(original)


def test_each_pass_has_a_reason_and_stands_in_the_list_once():
    names = [each.name for each in PASSES]
    assert len(set(names)) == len(names)
    assert all(each.reason.strip() for each in PASSES)
    assert [*pass_list.REWRITING, *pass_list.NAMING] == PASSES


def test_names_that_passes_choose_may_be_taken():
    """Whatever name a pass gives to a constant or a value, the model may have it."""
    model = network()
    graph = from_onnx(model)
    given = {value.name for value in graph.values}
    PassManager(REWRITING).run(graph)
    chosen = sorted({value.name for value in graph.values} - given)
    assert chosen
    nodes, constants = list(model.graph.node), initializers(model)
    for index, name in enumerate(chosen):
        constants[name] = normal(index, 1, 5)
        nodes.append(helper.make_node("Add", [nodes[-1].output[0] if index else "y", name], [f"sum{index}"]))
    crowded = model_of(nodes, {"x": [1, 4, 8, 8]}, constants)
    graph = from_onnx(crowded)
    PassManager(PASSES, check=True).run(graph)
    x = normal(99, 1, 4, 8, 8)
    (expected,), (made,) = run_onnx(crowded, {"x": x}), run_onnx(to_onnx(graph), {"x": x})
    np.testing.assert_allclose(made, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_weights_that_several_passes_change_are_rounded_once():
    """DenseNet's: a convolution between two batch norms takes in the scale of one from behind and the other before."""
    constants = {"w": normal(1, 6, 4, 3, 3)}
    nodes = [
        batch_norm("x", "before", 4, constants, 40),
        helper.make_node("Relu", ["before"], ["r"]),
        helper.make_node("Conv", ["r", "w"], ["c"], name="conv", pads=[1, 1, 1, 1]),
        batch_norm("c", "y", 6, constants, 50),
    ]
    graph = from_onnx(model_of(nodes, {"x": [1, 4, 5, 5]}, constants))
    PassManager(PASSES, check=True).run(graph)
    assert [node.operator for node in graph] == ["Add", "Relu", "Conv"]
    epsilon = np.float64(np.float32(1e-3))
    wide = {name: array.astype(np.float64) for name, array in constants.items()}
    scales = {name: wide[f"{name}_scale"] / np.sqrt(wide[f"{name}_variance"] + epsilon) for name in ("before", "y")}
    exact = wide["w"] * scales["y"].reshape(-1, 1, 1, 1) * scales["before"].reshape(-1, 1, 1)
    conv = to_onnx(graph).graph.node[-1]
    written = initializers(to_onnx(graph))[conv.input[1]]
    assert written.dtype == np.float32
    np.testing.assert_array_equal(written, exact.astype(np.float32))
