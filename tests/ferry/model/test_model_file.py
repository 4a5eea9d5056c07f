"""Inputs and outputs of every structure, their names, and TorchScript."""

import onnx
import pytest
import torch

from ferry.errors import FerryError, ModelFileError
from ferry.export import pytorch_export
from ferry.model import model_file
from ferry.runtimes.pytorch_runtime import PytorchRuntime
from programs import run_stage, write_model


def named(model):
    return model.input_names, model.output_names


def write(path, forward, example, signature="self, x", extra=""):
    path.write_text(
        f"import collections, torch\n{extra}\n"
        f"class M(torch.nn.Module):\n    def forward({signature}):\n        return {forward}\n"
        f"def get_pytorch_model(): return M()\ndef get_example_input(): return {example}\n"
    )
    return str(path)


PAIR = "Pair = collections.namedtuple('Pair', 'boxes scores')"
X = "torch.ones(1, 3)"


@pytest.mark.parametrize(
    ("signature", "forward", "example", "extra", "inputs", "outputs"),
    [
        ("self, x", "x + 1", X, "", ["input"], ["output"]),
        ("self, a, b", "(a + b, a)", f"({X}, {X})", "", ["input_0", "input_1"], ["output_0", "output_1"]),
        ("self, a, b", "{'sum': a + b, 'b': b}", f"{{'b': {X}, 'a': {X}}}", "", ["b", "a"], ["sum", "b_1"]),
        ("self, x", "Pair(x, x * 2)", X, PAIR, ["input"], ["boxes", "scores"]),
        ("self, x", "{'levels': [x, x * 2], 'none': None}", X, "", ["input"], ["levels_0", "levels_1"]),
        ("self, a, b", "a + b[0] * b[1]", f"({X}, ({X}, {X}))", "", ["input_0", "input_1", "input_2"], ["output"]),
        ("self, x, by=1", "x * by", f"{{'x': {X}, 'by': 3}}", "", ["x"], ["output"]),
        ("self, x", "x['left'] * 2", f"({{'left': {X}}},)", "", ["left"], ["output"]),
        ("self, x", "{'a b/ü': x}", f"{{'x': {X}}}", "", ["x"], ["a_b/_"]),
        ("self, x", "{7: x, 8: x * 2}", X, "", ["input"], ["output_7", "output_8"]),
        ("self, x", "(x, x)", X, "INPUT_NAMES = ['image']\nOUTPUT_NAMES = ['one', 'two']", ["image"], ["one", "two"]),
    ],
)  # fmt: skip
def test_every_tensor_has_the_name_its_user_gave_it(tmp_path, signature, forward, example, extra, inputs, outputs):
    path = write(tmp_path / "m.py", forward, example, signature, extra)
    model = model_file.load(path)
    assert named(model) == (inputs, outputs)
    graph = pytorch_export.to_onnx(model).graph
    assert [info.name for info in graph.input] == inputs
    assert [info.name for info in graph.output] == outputs
    runtime = PytorchRuntime(path)
    assert [spec.name for spec in runtime.outputs] == outputs
    assert len(runtime.run(runtime.example_inputs)) == len(outputs)


def test_a_name_that_is_a_weights_too_stays_the_users(tmp_path):
    path = write_model(tmp_path / "m.py", "{'weight': x * self.weight}", "{'x': torch.ones(3)}",
                       "self.weight = nn.Parameter(torch.ones(3))")  # fmt: skip
    graph = pytorch_export.to_onnx(model_file.load(str(path))).graph
    assert [info.name for info in graph.output] == ["weight"]
    assert [entry.name for entry in graph.initializer] != ["weight"]


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ("OUTPUT_NAMES = ['a', 'b']", "OUTPUT_NAMES holds 2 names, and there are 1 tensors"),
        ("INPUT_NAMES = 'image'", "INPUT_NAMES must be a list of names"),
    ],
)
def test_names_that_do_not_fit_are_an_error(tmp_path, extra, message):
    with pytest.raises(ModelFileError, match=message):
        model_file.load(write(tmp_path / "m.py", "x + 1", X, extra=extra))


def test_a_module_spread_over_devices_is_taken_out(tmp_path):
    path = write_model(tmp_path / "m.py", "self.c(x)", members="self.c = nn.Conv2d(3, 4, 3)")
    path.write_text(path.read_text().replace("Model().eval()", "nn.DataParallel(Model())"))
    model = model_file.load(str(path))
    assert type(model.module).__name__ == "Model"
    assert model.was_training
    assert not any(part.training for part in model.module.modules())


def scripted(path, version=None):
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.Dropout())
    torch.jit.script(net).save(str(path))
    return str(path)


def test_a_torchscript_model_is_exported_in_eval_mode(tmp_path):
    path = scripted(tmp_path / "m.pt")
    model = model_file.load(path, input_shape="1,3,8,8")
    assert model.was_training
    graph = pytorch_export.to_onnx(model).graph
    assert not {"Dropout", "If"} & {node.op_type for node in graph.node}
    wide = PytorchRuntime(path, input_shape="1,3,8,8").in_float64()
    assert wide.run([model.example_inputs[0].numpy()])[0].dtype == "float64"


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ("", "give their shapes, as in INPUT_SHAPE=1,3,224,224"),
        ("1x3x8x8", "INPUT_SHAPE '1x3x8x8' is no shape"),
        ("1,3:complex", "for other than floats a dtype, as in 1,16:int64"),
        ("1,0,8,8", "is of a tensor with no elements"),
        ("1,3,8", "forward(), called on get_example_input(), failed"),
    ],
)
def test_a_bad_shape_is_an_error(tmp_path, shape, message):
    with pytest.raises(ModelFileError) as raised:
        model_file.load(scripted(tmp_path / "m.pt"), input_shape=shape)
    assert message in str(raised.value)


@pytest.mark.parametrize("content", [b"", b"not a zip", None])
def test_what_is_no_torchscript_is_said_to_be_none(tmp_path, content):
    path = tmp_path / "m.pt"
    if content is None:
        torch.save({"a": torch.ones(1)}, str(path), _use_new_zipfile_serialization=True)
    else:
        path.write_bytes(content)
    with pytest.raises(FerryError, match="is no TorchScript model"):
        model_file.load(str(path), input_shape="1")


def test_an_onnx_model_gets_static_shapes_and_valid_names(tmp_path):
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3))
    names = {"input_names": ["1 bild ä"], "output_names": ["out"]}
    torch.onnx.export(
        net, torch.rand(2, 3, 8, 8), str(tmp_path / "m.onnx"), dynamic_axes={"1 bild ä": {0: "N"}}, **names
    )
    files = ["--model", tmp_path / "m.onnx", "--output", tmp_path / "made.onnx"]
    refused = run_stage("import_onnx", *files)
    assert refused.returncode == 1
    assert "the shape of '1 bild ä' [N, 3, 8, 8] is not static" in refused.stderr
    done = run_stage("import_onnx", *files, "--input-shape", "1,3,8,8")
    assert done.returncode == 0, done.stderr
    assert "'1 bild ä' is named '1_bild__'" in done.stdout
    graph = onnx.load(str(tmp_path / "made.onnx")).graph
    assert [info.name for info in graph.input] == ["1_bild__"]
    assert [dim.dim_value for dim in graph.output[0].type.tensor_type.shape.dim] == [1, 4, 6, 6]
    refused = run_stage("import_onnx", *files, "--input-shape", "1,4,8,8")
    assert "INPUT_SHAPE '1,4,8,8' does not fit '1 bild ä', which is [N, 3, 8, 8]" in refused.stderr
