import pytest
from onnx import helper
from rich.console import Console

from ferry import stage
from ferry.errors import FerryError, UnsupportedModelError
from ferry.graph.from_onnx import from_onnx
from ferry.graph.pass_manager import CHECK_VARIABLE, Pass, PassError, PassManager
from onnx_models import model_of, normal

pytestmark = pytest.mark.fast


def graph_of_two():
    nodes = [
        helper.make_node("Relu", ["x"], ["r"]),
        helper.make_node("Mul", ["r", "k"], ["y"]),
        helper.make_node("Exp", ["x"], ["unread"]),
    ]
    return from_onnx(model_of(nodes, {"x": [2]}, {"k": normal(1, 2)}, outputs=["y"]))


def swap(graph):
    """What the tests' passes do: the product becomes a negation, which leaves its constant dead."""
    for node in graph:
        if node.operator == "Mul":
            graph.replace([node], "Neg", [node.inputs[0]])
            return True
    return False


def break_shape(graph):
    graph.find("r").shape = (5,)
    return True


def run(*functions, **options):
    graph = graph_of_two()
    changed = PassManager([Pass(each, "for the test") for each in functions], **options).run(graph)
    return graph, changed


def test_what_a_pass_leaves_dead_is_dropped():
    graph, changed = run(swap)
    assert changed
    assert [node.operator for node in graph] == ["Relu", "Neg"]
    assert graph.constants == []


def test_what_was_dead_before_is_dropped_too():
    graph, changed = run()
    assert changed
    assert [node.operator for node in graph] == ["Relu", "Mul"]


def test_it_says_whether_anything_changed():
    graph, _ = run(swap)
    assert not PassManager([Pass(swap, "again")]).run(graph)


def test_a_pass_that_fails_is_named():
    def fails(graph):
        raise KeyError("weights")

    with pytest.raises(PassError, match="the graph pass fails: KeyError: 'weights'") as caught:
        run(swap, fails)
    assert caught.value.name == "fails"
    assert isinstance(caught.value.__cause__, KeyError)
    assert not isinstance(caught.value, FerryError)


def test_a_model_that_a_pass_refuses_is_the_users():
    def refuses(graph):
        raise UnsupportedModelError("the model is too large")

    with pytest.raises(UnsupportedModelError, match="too large"):
        run(refuses)


def test_a_pass_that_leaves_an_invalid_graph_is_named_where_graphs_are_checked(monkeypatch):
    with pytest.raises(PassError, match="the graph pass break_shape: InvalidGraphError: .*'r'"):
        run(swap, break_shape, check=True)
    run(break_shape, check=False)
    monkeypatch.setenv(CHECK_VARIABLE, "1")
    with pytest.raises(PassError):
        run(break_shape)


def test_a_stage_calls_it_a_fault_in_ferry(tmp_path, capfd, monkeypatch):
    def fails(graph):
        raise KeyError("weights")

    monkeypatch.setenv("VERBOSE", "1")
    arguments = stage.parser("a_stage", "for the test").parse_args([])

    def body(arguments, console: Console) -> int:
        run(fails)
        return 0

    assert stage.run("a_stage", arguments, str(tmp_path / "out"), body) == 1
    message = capfd.readouterr().err
    assert "fault in Ferry" in message
    assert "the graph pass fails: KeyError" in message
