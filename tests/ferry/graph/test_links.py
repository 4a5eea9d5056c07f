import onnx
import pytest
from onnx import TensorProto, helper

from ferry.graph.links import Links
from onnx_models import model_of

pytestmark = pytest.mark.fast


def test_readers_are_counted_by_reads_and_an_output_stays_as_it_is():
    nodes = [
        helper.make_node("Relu", ["x"], ["once"]),
        helper.make_node("Exp", ["once"], ["twice"]),
        helper.make_node("Add", ["twice", "twice"], ["y"]),
    ]
    links = Links(model_of(nodes, {"x": [2]}))
    assert links.sole_reader("once").op_type == "Exp"
    assert links.sole_reader("twice") is None
    assert len(links.readers("twice")) == 2
    assert links.readers("y") is None
    assert links.readers("nowhere") == []
    assert links.producer["twice"].op_type == "Exp"


def test_what_a_subgraph_reads_stays_as_it_is():
    value = helper.make_tensor_value_info("inner", TensorProto.FLOAT, [2])
    branch = helper.make_graph([helper.make_node("Relu", ["kept"], ["inner"])], "branch", [], [value])
    model = onnx.ModelProto()
    model.graph.node.extend(
        [
            helper.make_node("Relu", ["x"], ["kept"]),
            helper.make_node("If", ["c"], ["y"], then_branch=branch, else_branch=branch),
        ]
    )
    assert Links(model).readers("kept") is None
    assert Links(model).sole_reader("kept") is None
