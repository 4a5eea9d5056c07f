import pytest
from onnx import helper

from ferry.graph import onnx_node

pytestmark = pytest.mark.fast


def test_a_node_is_named_with_its_line():
    node = helper.make_node("Erf", ["x"], ["y"], name="Erf_3")
    assert onnx_node.described(node) == "the ONNX operator Erf (node 'Erf_3')"
    onnx_node.note_line(node, "parts/net.py:12")
    assert onnx_node.described(node) == "the ONNX operator Erf (node 'Erf_3', from parts/net.py:12)"
    onnx_node.note_line(node, "")
    assert not node.HasField("doc_string")


@pytest.mark.parametrize(
    "text",
    ["a sentence: of 12 words", "net.py:0", "net.py", "net.py:1\nnet.py:2", "\x1b[31mnet.py:3", "x" * 300 + ":1"],
)
def test_what_is_no_line_is_not_taken_for_one(text):
    assert onnx_node.line_of(helper.make_node("Erf", ["x"], ["y"], doc_string=text)) == ""
