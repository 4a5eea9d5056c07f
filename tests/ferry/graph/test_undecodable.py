import onnx
import pytest
from onnx import helper

from ferry.graph.undecodable import first_undecodable

pytestmark = pytest.mark.fast


def test_text_that_is_no_utf8_is_found_wherever_it_is():
    node = helper.make_node("LeakyRelu", ["x"], ["quay"], alpha=0.5)
    model = helper.make_model(helper.make_graph([node], "g", [], []))
    data = model.SerializeToString()
    assert first_undecodable(model) is None
    for text in (b"quay", b"alpha", b"LeakyRelu"):
        damaged = onnx.ModelProto.FromString(data.replace(text, b"\xff" + text[1:]))
        assert first_undecodable(damaged) == b"\xff" + text[1:]
