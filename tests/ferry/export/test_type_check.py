"""A graph that ONNX Runtime would refuse is refused at the export, and names the line."""

import numpy as np
import pytest

from ferry.errors import UnsupportedModelError
from ferry.export import pytorch_export
from ferry.model import model_file
from onnx_models import run_onnx
from programs import write_model


def export(tmp_path, forward, example):
    model = model_file.load(str(write_model(tmp_path / "m.py", forward, example)))
    return model, pytorch_export.to_onnx(model)


@pytest.mark.parametrize("forward", ["torch.max(x, x * 2)", "torch.min(x, x.flip(0))", "x.clamp(1, 3)"])
def test_what_opset_11_has_for_floats_alone_is_exported_in_12(tmp_path, forward):
    model, made = export(tmp_path, forward, "torch.arange(-3, 5)")
    assert made.opset_import[0].version == 12
    (computed,) = run_onnx(made, {"input": model.example_inputs[0].numpy()})
    np.testing.assert_array_equal(computed, model.example_outputs[0].numpy())


def test_what_opset_11_has_stays_in_it(tmp_path):
    _, made = export(tmp_path, "torch.max(x, x * 2)", "torch.randn(3)")
    assert made.opset_import[0].version == 11


def test_a_graph_of_wrong_types_names_the_users_line(tmp_path, monkeypatch):
    from ferry.export import symbolics

    def wrong(g, x):
        return g.op("Relu", g.op("Cast", x, to_i=7))

    monkeypatch.setitem(symbolics.SYMBOLICS, "log10", wrong)
    try:
        with pytest.raises(UnsupportedModelError, match=r"not valid at Relu \(.*m\.py:12\): .*tensor\(int64\)"):
            export(tmp_path, "x.log10()", "torch.randn(3)")
    finally:
        monkeypatch.undo()
        symbolics.register(pytorch_export.OPSETS)
