import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from ferry.graph.check_graph import InvalidGraphError, check
from ferry.graph.from_onnx import from_onnx
from ferry.graph.graph import Graph
from ferry.graph.to_onnx import to_onnx
from onnx_models import model_of, normal, run_onnx

pytestmark = pytest.mark.fast

X = {"x": normal(1, 2, 3)}


def chain():
    nodes = [
        helper.make_node("Relu", ["x"], ["r"], name="first"),
        helper.make_node("Mul", ["r", "k"], ["m"], name="second"),
        helper.make_node("Add", ["m", "r"], ["y"], name="third"),
    ]
    return model_of(nodes, {"x": [2, 3]}, {"k": normal(2, 3)})


def branching():
    """``If`` with a branch that reads a value and a constant of the graph around it."""
    result = [helper.make_tensor_value_info("inner", TensorProto.FLOAT, [2, 3])]
    yes = helper.make_graph([helper.make_node("Add", ["r", "k"], ["inner"])], "yes", [], result)
    no = helper.make_graph([helper.make_node("Sub", ["r", "k"], ["inner"])], "no", [], result)
    nodes = [
        helper.make_node("Relu", ["x"], ["r"]),
        helper.make_node("If", ["c"], ["y"], then_branch=yes, else_branch=no),
    ]
    return model_of(nodes, {"x": [2, 3]}, {"k": normal(2, 3), "c": np.array(True)})


def test_values_know_their_producers_users_shapes_and_dtypes():
    graph = from_onnx(chain())
    first, second, third = graph.nodes
    r, k = graph.find("r"), graph.find("k")
    assert (r.producer, r.static_shape, r.dtype) == (first, (2, 3), np.float32)
    assert [(use.node, use.position) for use in r.uses] == [(second, 0), (third, 1)]
    assert r.sole_user is None
    assert k.sole_user is second
    assert graph.find("y").is_output
    assert [value.name for value in graph.inputs] == ["x"]
    np.testing.assert_array_equal(k.array, normal(2, 3))


def test_what_was_read_is_written_as_it_was():
    for model in (chain(), branching()):
        assert to_onnx(from_onnx(model)) == model


def test_a_model_that_is_taken_over_gives_its_weights_away():
    model = chain()
    graph = from_onnx(model, take_over=True)
    assert not model.graph.initializer
    np.testing.assert_array_equal(graph.find("k").array, normal(2, 3))


def test_an_initializer_that_is_an_input_too_is_a_constant_that_may_go():
    model = chain()
    model.ir_version = 3
    model.graph.input.append(helper.make_tensor_value_info("k", TensorProto.FLOAT, [3]))
    graph = from_onnx(model)
    assert [value.name for value in graph.inputs] == ["x"]
    written = to_onnx(graph)
    onnx.checker.check_model(written)
    np.testing.assert_array_equal(run_onnx(written, X)[0], run_onnx(chain(), X)[0])


def test_a_new_node_may_make_the_graphs_output():
    graph = from_onnx(chain())
    _, second, third = graph.nodes
    graph.replace([second, third], "Neg", [graph.find("r")])
    graph.remove_dead()
    check(graph)
    assert [node.operator for node in graph] == ["Relu", "Neg"]
    assert [value.name for value in graph.constants] == []
    np.testing.assert_array_equal(run_onnx(to_onnx(graph), X)[0], -np.maximum(X["x"], 0))


def test_nodes_are_inserted_before_and_behind_others():
    graph = from_onnx(chain())
    first, second, _ = graph.nodes
    r = graph.find("r")
    before, behind = (graph.add_value(stem, r.shape, r.dtype) for stem in ("before", "behind"))
    graph.insert("Abs", [graph.find("x")], [before], before=first)
    graph.insert("Exp", [r], [behind], after=first)
    second.set_input(0, behind)
    assert [node.operator for node in graph] == ["Abs", "Relu", "Exp", "Mul", "Add"]
    check(graph)


def test_what_is_used_cannot_be_removed():
    graph = from_onnx(chain())
    with pytest.raises(ValueError, match="cannot be removed: r is used"):
        graph.remove(graph.nodes[0])
    with pytest.raises(ValueError, match="'k' is used"):
        graph.forget(graph.find("k"))
    check(graph)


def test_all_uses_are_replaced_in_subgraphs_too():
    graph = from_onnx(branching())
    r = graph.find("r")
    assert r.is_pinned
    assert r.sole_use is None
    other = graph.add_value("other", r.shape, r.dtype)
    graph.insert("Abs", [graph.find("x")], [other], after=r.producer)
    graph.replace_all_uses(r, other)
    graph.remove_dead()
    check(graph)
    assert [node.operator for node in graph] == ["Abs", "If"]
    np.testing.assert_array_equal(run_onnx(to_onnx(graph), X)[0], np.abs(X["x"]) + normal(2, 3))


def test_the_output_of_a_graph_is_not_replaced():
    graph = from_onnx(chain())
    with pytest.raises(ValueError, match="'y' is an output"):
        graph.replace_all_uses(graph.find("y"), graph.find("x"))


def test_names_are_fresh_the_same_each_time_and_free_of_subgraphs():
    for _ in range(2):
        graph = from_onnx(branching())
        made = [graph.add_constant(stem, normal(1, 2)).name for stem in ("k", "k", "inner", "new")]
        assert made == ["k_1", "k_2", "inner_1", "new"]
    graph.rename(graph.find("k"), "constant")
    with pytest.raises(ValueError, match="taken"):
        graph.rename(graph.find("r"), "inner")
    written = to_onnx(graph)
    assert "constant" in written.graph.node[1].attribute[0].g.node[0].input
    np.testing.assert_array_equal(run_onnx(written, X)[0], run_onnx(branching(), X)[0])


def test_a_constant_is_rounded_once_to_the_models_dtype():
    graph = from_onnx(chain())
    k = graph.find("k")
    third = np.full(3, 1 / 3)
    k.set_constant(third)
    k.set_constant(k.array * 3.0000001)
    (written,) = to_onnx(graph).graph.initializer
    np.testing.assert_array_equal(numpy_helper.to_array(written), (third * 3.0000001).astype(np.float32))
    with pytest.raises(ValueError, match="is no constant"):
        graph.find("r").set_constant(third)


def test_a_walk_meets_no_removed_node():
    graph = from_onnx(chain())
    met = []
    for node in graph:
        met.append(node.operator)
        if node.operator == "Relu":
            graph.replace(graph.nodes[1:], "Neg", [node.output])
    assert met == ["Relu"]


BREAKAGES = {
    "order": lambda graph: graph.insert(
        "Abs", [graph.find("m")], [graph.add_value("late", (2, 3), np.float32)], before=graph.nodes[0]
    ),
    "shape": lambda graph: setattr(graph.find("r"), "shape", (7, 7)),
    "dtype": lambda graph: setattr(graph.find("r"), "dtype", np.dtype(np.int64)),
    "operator": lambda graph: setattr(graph.nodes[0], "operator", "Rleu"),
    "attribute": lambda graph: graph.nodes[0].attributes.update(alpha=1.0),
    "use": lambda graph: graph.find("r")._uses.clear(),
    "producer": lambda graph: setattr(graph.find("r"), "producer", None),
    "name": lambda graph: setattr(graph.find("r"), "name", "k"),
    "stray": lambda graph: graph.add_value("stray"),
}


@pytest.mark.parametrize("breakage", BREAKAGES)
def test_the_check_finds(breakage):
    graph = from_onnx(chain())
    check(graph)
    BREAKAGES[breakage](graph)
    with pytest.raises(InvalidGraphError):
        check(graph)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.data())
def test_whatever_is_edited_the_graph_stays_valid(data):
    graph = Graph()
    x = graph.add_input("x", (2, 3), np.dtype(np.float32))
    x.declared = model_of([helper.make_node("Relu", ["x"], ["y"])], {"x": [2, 3]}).graph.input[0].type
    y = graph.add_value("y", (2, 3), np.dtype(np.float32))
    graph.insert("Relu", [x], [y])
    graph.set_outputs([y])
    for _ in range(data.draw(st.integers(1, 12))):
        nodes = graph.nodes
        node = data.draw(st.sampled_from(nodes))
        action = data.draw(st.sampled_from(["before", "constant", "replace", "bypass", "dead", "fold"]))
        source = node.inputs[0]
        if action in ("before", "constant"):
            made = graph.add_value("v", (2, 3), np.dtype(np.float32))
            if action == "before":
                graph.insert("Abs", [source], [made], before=node)
            else:
                graph.insert("Add", [source, graph.add_constant("c", normal(1, 3))], [made], before=node)
            node.set_input(0, made)
        elif action == "replace":
            graph.replace([node], "Neg", [source])
        elif action == "bypass" and not node.output.is_output:
            graph.replace_all_uses(node.output, source)
            graph.remove(node)
        elif action == "dead":
            graph.remove_dead()
        elif action == "fold" and not node.output.is_output:
            graph.fold(node.output, normal(3, 2, 3))
        check(graph)
    graph.remove_dead()
    check(graph)
    onnx.checker.check_model(to_onnx(graph))
