"""The stage that makes a smaller model beside the float one."""

import hashlib
import json

import numpy as np
import pytest
import tensorflow as tf

from ferry.tflite import description, flatbuffer, signature
from programs import convert, run_stage, write_model

MEMBERS = "self.c = nn.Conv2d(3, 16, 3); self.d = nn.Conv2d(16, 16, 3)"


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A folder with the artifacts of two convolutions, of which the second has more than 1,024 weights."""
    folder = tmp_path_factory.mktemp("small")
    return convert(write_model(folder / "small.py", "F.softmax(self.d(F.relu(self.c(x))), 1)", members=MEMBERS), folder)


def quantize(folder, quant, output, *more, **options):
    files = ["--graph", folder / "model.pb", "--float", folder / "model.tflite", "--output", output]
    return run_stage("quantize", "--quant", quant, *files, *more, **options)


def output_of(path, array):
    interpreter = tf.lite.Interpreter(str(path))
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], array)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


@pytest.mark.parametrize(("quant", "error"), [("float16", 1e-3), ("dynamic", 2e-2)])
def test_the_model_is_smaller_and_computes_nearly_the_same(small, tmp_path, quant, error):
    done = quantize(small, quant, tmp_path / "model.small.tflite")
    assert done.returncode == 0, done.stderr
    data = flatbuffer.load(str(tmp_path / "model.small.tflite"))
    float_data = flatbuffer.load(str(small / "model.tflite"))
    assert len(data) < 0.75 * len(float_data)
    array = np.random.RandomState(1).randn(1, 3, 8, 8).astype(np.float32)
    wanted, made = (output_of(path, array) for path in (small / "model.tflite", tmp_path / "model.small.tflite"))
    assert 0 < np.abs(made - wanted).max() < error
    assert flatbuffer.interface(data) == flatbuffer.interface(float_data)
    assert signature.read(data) == signature.read(float_data)
    assert description.read(data)["quantization"] == quant
    held = json.loads((tmp_path / "model.small.json").read_text())
    assert held["scheme"] == quant
    assert held["sha256"] == hashlib.sha256(data).hexdigest()
    assert held["float_sha256"] == hashlib.sha256(float_data).hexdigest()


@pytest.mark.parametrize("quant", ["float16", "dynamic"])
def test_its_bytes_are_the_same_in_each_process(small, tmp_path, quant):
    for name in "ab":
        done = quantize(small, quant, tmp_path / f"{name}.tflite", env={"PYTHONHASHSEED": str(ord(name))})
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.tflite").read_bytes() == (tmp_path / "b.tflite").read_bytes()


def test_what_is_skipped_stays_in_float_and_is_listed(small, tmp_path):
    done = quantize(small, "float16", tmp_path / "m.tflite", "--skip", "CONV_2D")
    assert done.returncode == 1
    assert "there is nothing to keep in float16" in done.stderr
    name = next(name for name in _outputs_of_convolutions(small / "model.tflite") if "1" in name or ";" in name)
    done = quantize(small, "float16", tmp_path / "m.tflite", "--skip", name.replace("[", "?"))
    assert done.returncode == 0, done.stderr
    listed = json.loads((tmp_path / "m.json").read_text())["in_float"]
    assert {each["output"] for each in listed} == {name}
    assert "in float stays" in done.stdout


def _outputs_of_convolutions(path):
    from ferry.tflite.editable import EditableModel
    from ferry.tflite.quantize import float_model

    model = EditableModel(path.read_bytes())
    kinds = [(float_model.kind_of(model, each), float_model.first_output(model, each)) for each in model.operators]
    return [name for kind, name in kinds if kind == "CONV_2D"]


def test_a_pattern_that_matches_nothing_is_one_clear_line(small, tmp_path):
    done = quantize(small, "dynamic", tmp_path / "m.tflite", "--skip", "CONV_3D")
    assert done.returncode == 1
    assert "SKIP=CONV_3D matches no operator" in done.stderr
    assert "CONV_2D" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("m.*"))


def test_a_model_without_weights_is_one_clear_line(tmp_path):
    folder = convert(write_model(tmp_path / "plain.py", "x.mean([2, 3])"), tmp_path)
    done = quantize(folder, "dynamic", tmp_path / "m.tflite")
    assert done.returncode == 1
    assert "there is nothing to keep in dynamic" in done.stderr
    assert "Traceback" not in done.stderr
