"""A frozen graph knows which ONNX node each of its operators was built for."""

import pytest
from onnx import helper
from tensorflow.core.framework.graph_pb2 import GraphDef

from ferry.errors import UnsupportedModelError
from ferry.frozen import frozen_graph, made_for
from ferry.frozen.unusable_graph import refuse_unusable
from ferry.graph.onnx_node import OnnxNode
from ferry.lowering import convert_onnx
from onnx_models import model_of, normal


def converted():
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], name="first", doc_string="net.py:12"),
        helper.make_node("Exp", ["a"], ["b"], name="second", doc_string="net.py:13"),
        helper.make_node("Sin", ["b"], ["y"], name="third"),
    ]
    return convert_onnx.convert(model_of(nodes, {"x": [1, 2, 5, 5]}, {"w": normal(0, 3, 2, 3, 3)}))


def test_each_operator_has_the_node_that_it_was_built_for():
    graph_def = converted()
    nodes = made_for.onnx_nodes(graph_def)
    by_operator = {node.op: nodes[node.name] for node in graph_def.node if node.op in ("Conv2D", "Exp", "Sin")}
    assert by_operator == {
        "Conv2D": OnnxNode("Conv", "first", "net.py:12"),
        "Exp": OnnxNode("Exp", "second", "net.py:13"),
        "Sin": OnnxNode("Sin", "third", ""),
    }
    # It goes with the file.
    read = GraphDef.FromString(frozen_graph.to_bytes(graph_def))
    assert made_for.onnx_nodes(read) == nodes


@pytest.mark.parametrize("text", [b"\xff", b"{", b"3", b"[[1]]", b'[["Erf", "a", "b", "c", ["d"]]]'])
def test_a_damaged_note_is_no_note(text):
    graph_def = converted()
    graph_def.node[0].attr["_onnx_nodes"].s = text
    assert made_for.onnx_nodes(graph_def) == {}


def test_what_no_cpu_runs_is_named_with_its_node():
    graph_def = converted()
    (conv,) = (node for node in graph_def.node if node.op == "Conv2D")
    conv.attr["data_format"].s = b"NCHW"
    with pytest.raises(UnsupportedModelError, match=r"Conv2D .*, built for the ONNX operator Conv \(node 'first'"):
        refuse_unusable(graph_def)


def test_of_many_the_first_are_listed():
    nodes = {f"op{number}": OnnxNode("Erf", f"e{number}", "") for number in range(5)}
    assert made_for.listed(["op0", "gone"], nodes) == "the ONNX operator Erf (node 'e0')"
    assert made_for.listed(nodes, nodes).endswith("(node 'e2') and 2 more")
    assert made_for.listed(["gone"], nodes) == ""
