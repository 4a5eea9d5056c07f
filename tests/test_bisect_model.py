import json
import re
import struct

import jsonschema
import numpy as np
import onnx
import pytest
import tflite as schema
from onnx import numpy_helper

from programs import ROOT, convert, run_stage, write_model

# Where the schema puts it in the table of a convolution's options.
STRIDE_H = 8
LAYERS = "self.first = nn.Conv2d(3, 4, 3); self.second = nn.Linear(4, 5)"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    return write_model(folder / "m.py", "self.second(F.relu(self.first(x)).mean([2, 3]))", members=LAYERS)


@pytest.fixture()
def build(model, tmp_path):
    return convert(model, tmp_path / "build")


def bisect(model, build, *arguments):
    return run_stage("bisect_model", "--model", model, "--build", build, *arguments)


def test_it_says_that_a_sound_model_differs_nowhere(model, build):
    done = bisect(model, build)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("every piece of it computes what it should") == 3


def test_it_names_tensor_node_operator_and_module(model, build):
    made = onnx.load(str(build / "model.onnx"))
    bias = next(entry for entry in made.graph.initializer if entry.name == "second.bias")
    bias.CopyFrom(numpy_helper.from_array(np.zeros(5, np.float32), bias.name))
    onnx.save(made, str(build / "model.onnx"))
    gemm = made.graph.node[-1]
    done = bisect(model, build)
    assert done.returncode == 0, done.stderr
    assert "bisect: onnx breaks: the ONNX model against PyTorch" in done.stdout
    assert f"first tensor that differs: output, made by {gemm.name} (Gemm) of second" in done.stdout
    assert "what to do: " in done.stdout


@pytest.mark.slow
def test_one_stage_alone(model, build):
    done = bisect(model, build, "--stage", "tflite")
    assert done.returncode == 0, done.stderr
    assert "bisect: tflite: on the first random input every piece" in done.stdout
    assert "bisect: onnx:" not in done.stdout


@pytest.mark.slow
def test_a_model_that_came_as_onnx_is_walked_from_there_on(build):
    done = bisect(build / "model.onnx", build)
    assert done.returncode == 0, done.stderr
    assert "bisect: onnx:" not in done.stdout
    assert done.stdout.count("every piece of it computes what it should") == 2
    done = bisect(build / "model.onnx", build, "--stage", "onnx")
    assert done.returncode == 1
    assert "the model came as ONNX, or from another PyTorch: there is none to bisect it against" in done.stderr


def test_a_missing_artifact_is_one_line(model, build):
    (build / "model.pb").unlink()
    done = bisect(model, build)
    assert done.returncode == 1
    assert done.stderr.splitlines()[0].endswith("No such file or directory")
    assert "Traceback" not in done.stderr


def test_verify_says_where_a_stage_broke_and_bisects_on_its_worst_input(model, build):
    made = onnx.load(str(build / "model.onnx"))
    weight = next(entry for entry in made.graph.initializer if entry.name == "first.bias")
    weight.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weight) + np.float32(0.5), weight.name))
    onnx.save(made, str(build / "model.onnx"))
    done = run_stage("verify", "--model", model, "--build", build, "--samples", 3)
    assert done.returncode == 2
    assert "verify: onnx breaks: the ONNX model against PyTorch" in done.stdout
    line = next(at for at, text in enumerate(model.read_text().splitlines(), 1) if "self.first(" in text)
    assert f"(Conv) of first at {model.name}:{line}" in done.stdout
    report = json.loads((build / "report.json").read_text())
    jsonschema.validate(report, json.loads((ROOT / "docs" / "report.schema.json").read_text()))
    assert "<h2>Where it broke</h2>" in (build / "report.html").read_text()
    where = report["stages"]["onnx"]["where"]
    assert (where["step"], where["operator"], where["scope"]) == ("export", "Conv", "first")
    assert where["line"] == f"{model.name}:{line}"
    assert (build / "worst_input_onnx.npz").exists()


def stride_of_nothing(path):
    """Damage the ``.tflite`` so that its interpreter divides by zero."""
    data = bytearray(path.read_bytes())
    graph = schema.Model.GetRootAsModel(data, 0).Subgraphs(0)
    for position in range(graph.OperatorsLength()):
        operator = graph.Operators(position)
        if operator.BuiltinOptionsType() == schema.BuiltinOptions.Conv2DOptions:
            table = operator.BuiltinOptions()
            struct.pack_into("<i", data, table.Pos + table.Offset(STRIDE_H), 0)
    path.write_bytes(data)


def test_a_damaged_file_ends_the_bisection_and_that_is_said(model, build):
    stride_of_nothing(build / "model.tflite")
    done = bisect(model, build)
    assert done.returncode == 1
    assert re.search(r"bisect_model: error: the bisection was ended by SIG\w+ while it ran CONV_2D", done.stderr)
    assert "bisect: tensorflow: on the first random input every piece" in done.stdout


@pytest.mark.slow
def test_a_bisection_that_is_ended_changes_nothing_of_the_verdict(model, build, tmp_path):
    made = onnx.load(str(build / "model.onnx"))
    bias = next(entry for entry in made.graph.initializer if entry.name == "second.bias")
    bias.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(bias) + np.float32(0.5), bias.name))
    onnx.save(made, str(build / "model.onnx"))
    hostile = tmp_path / "m.py"
    hostile.write_text(
        "import os, sys\nif 'ferry.bisect.find' in sys.modules:\n    os.kill(os.getpid(), 11)\n" + model.read_text()
    )
    done = run_stage("verify", "--model", hostile, "--build", build, "--samples", 3)
    assert done.returncode == 2
    said = "where onnx breaks could not be found: the bisection was ended by SIGSEGV while it opened the model"
    assert f"verify: {said}" in done.stdout
    report = json.loads((build / "report.json").read_text())
    jsonschema.validate(report, json.loads((ROOT / "docs" / "report.schema.json").read_text()))
    assert report["stages"]["onnx"]["where"]["lines"] == [said]
    assert said in (build / "report.html").read_text()


def test_the_worst_input_of_a_stage_is_the_one_it_is_walked_on(model, build):
    np.savez(str(build / "worst_input_tflite.npz"), input=np.ones((1, 1, 3, 8, 8), np.float32))
    done = bisect(model, build, "--stage", "tflite")
    assert f"bisect: tflite: on {build}/worst_input_tflite.npz every piece" in done.stdout


@pytest.mark.parametrize("content", [b"", b"no archive", None], ids=["empty", "of another kind", "of another shape"])
def test_one_that_does_not_fit_is_left_aside(model, build, content):
    path = build / "worst_input_tflite.npz"
    np.savez(str(path), input=np.ones((1, 1, 3, 9, 9), np.float32)) if content is None else path.write_bytes(content)
    done = bisect(model, build, "--stage", "tflite")
    assert done.returncode == 0, done.stderr
    assert "bisect: tflite: on the first random input every piece" in done.stdout
