"""Each exported node says which line of the user's it came from, wherever the model lies."""

import textwrap

import onnx
import pytest
import torch

from ferry.export import pytorch_export, source_lines
from ferry.graph.onnx_node import line_of
from ferry.graph.subgraphs import subgraphs
from ferry.model import model_file

MODEL = """\
import torch
from torch import nn
from parts import tail


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x):
        x = self.conv(x)
        x = tail.stretched(x)
        return torch.relu(x)


def get_pytorch_model():
    torch.manual_seed(0)
    return Net()


def get_example_input():
    return torch.zeros(1, 3, 8, 8)
"""
TAIL = """\
from torch.nn import functional as F


def stretched(x):
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
"""


def written(folder, model=MODEL):
    (folder / "parts").mkdir(parents=True)
    (folder / "parts" / "__init__.py").touch()
    (folder / "parts" / "tail.py").write_text(TAIL)
    (folder / "net.py").write_text(textwrap.dedent(model))
    return str(folder / "net.py")


def export(path):
    pytorch_export.install()
    return pytorch_export.to_onnx(model_file.load(path))


@pytest.fixture
def modules():
    """The model's modules are forgotten, so that the next folder's are imported."""
    import sys

    def forget():
        for name in [name for name in sys.modules if name.split(".")[0] in ("parts", "net")]:
            del sys.modules[name]

    yield forget
    forget()


def test_each_node_has_the_line_of_its_own_file(tmp_path, modules):
    made = export(written(tmp_path / "a"))
    lines = {node.op_type: line_of(node) for node in made.graph.node if node.op_type != "Constant"}
    assert (lines["Conv"], lines["Resize"], lines["Relu"]) == ("net.py:12", "parts/tail.py:5", "net.py:14")
    # What leads up to an operator is of its line.
    assert {line for operator, line in lines.items() if operator in ("Shape", "Slice", "Concat")} <= {"parts/tail.py:5"}
    assert all(line_of(node) for node in made.graph.node)


def test_the_bytes_do_not_depend_on_the_folder(tmp_path, modules, monkeypatch):
    first = export(written(tmp_path / "a"))
    modules()
    monkeypatch.chdir(tmp_path)
    second = export(written(tmp_path / "elsewhere" / "deep"))
    assert first.SerializeToString(deterministic=True) == second.SerializeToString(deterministic=True)
    assert str(tmp_path) not in str(first)


def test_a_model_without_a_line_of_its_own_has_none(tmp_path, modules):
    model = MODEL.replace("return Net()", "return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())")
    made = export(written(tmp_path / "a", model))
    assert [node.op_type for node in made.graph.node] == ["Conv", "Relu"]
    assert not any(node.doc_string for node in made.graph.node)


def test_nodes_of_scripted_branches_have_lines_too(tmp_path):
    path = tmp_path / "scripted.py"
    path.write_text(
        textwrap.dedent(
            """\
            import torch
            from torch import nn


            class Net(nn.Module):
                def forward(self, x):
                    for _ in range(x.shape[1]):
                        x = torch.erf(x)
                    return x.relu()
            """
        )
        + MODEL[MODEL.index("\n\ndef get_pytorch_model") :].replace("Net()", "torch.jit.script(Net())")
    )
    made = export(str(path))
    (loop,) = (node for node in made.graph.node if node.op_type == "Loop")
    inner = [line_of(node) for graph in subgraphs(loop) for node in graph.node if node.op_type == "Erf"]
    assert inner == ["scripted.py:8"]
    assert line_of(made.graph.node[-1]) == "scripted.py:9"
    assert str(tmp_path) not in str(made)


def test_what_called_the_exporter_is_no_line_of_the_models():
    inside = f"{source_lines._LIBRARY}nn/functional.py(3): relu\n/m/net.py(7): forward\n"
    exporter = f"{source_lines._EXPORTER}(291): _trace\n/somewhere/program.py(3): <module>\n"
    assert source_lines.lines_in(inside + exporter) == [("/m/net.py", 7)]
    assert source_lines.lines_in(exporter) == []


def test_the_exporter_still_leaves_its_stacks_without_being_asked_twice(tmp_path):
    path = tmp_path / "m.onnx"
    torch.onnx.export(torch.nn.ReLU(), torch.zeros(2), str(path), strip_doc_string=False)
    assert source_lines._EXPORTER in onnx.load(str(path)).graph.node[0].doc_string
