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
    assert "1 CONV_2D in float: SKIP=" in done.stdout


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


@pytest.fixture(scope="module")
def calibration(small):
    path = small / "calibration.npz"
    np.savez(str(path), input=np.random.RandomState(0).randn(12, 3, 8, 8).astype(np.float32))
    return path


def integers(folder, output, *more):
    return quantize(folder, "int8", output, "--model", folder / "small.py", *more)


@pytest.mark.parametrize("io", ["float32", "int8"])
def test_int8_computes_nearly_the_same_from_inputs_that_are_given(small, calibration, tmp_path, io):
    done = integers(small, tmp_path / "m.tflite", "--calibration", calibration, "--io", io)
    assert done.returncode == 0, done.stderr
    interpreter = tf.lite.Interpreter(str(tmp_path / "m.tflite"))
    interpreter.allocate_tensors()
    array = np.random.RandomState(1).randn(1, 3, 8, 8).astype(np.float32)
    (given,), (made,) = interpreter.get_input_details(), interpreter.get_output_details()
    assert {given["dtype"], made["dtype"]} == {np.float32 if io == "float32" else np.int8}
    scale, zero = given["quantization"]
    ours = array if io == "float32" else np.clip(np.rint(array / scale) + zero, -128, 127).astype(np.int8)
    interpreter.set_tensor(given["index"], ours)
    interpreter.invoke()
    result = interpreter.get_tensor(made["index"]).astype(np.float32)
    if io == "int8":
        result = (result - made["quantization"][1]) * made["quantization"][0]
    assert 0 < np.abs(result - output_of(small / "model.tflite", array)).max() < 0.05
    held = json.loads((tmp_path / "m.json").read_text())
    assert held["io"] == io
    assert held["calibration"]["count"] == 12
    assert held["ranges"]["input"]["min"] < -2 < 2 < held["ranges"]["input"]["max"]


def test_int8_has_the_same_bytes_in_each_process(small, calibration, tmp_path):
    for name in "ab":
        assert integers(small, tmp_path / f"{name}.tflite", "--calibration", calibration).returncode == 0
    assert (tmp_path / "a.tflite").read_bytes() == (tmp_path / "b.tflite").read_bytes()
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_a_model_file_gives_its_own_calibration_inputs(small, tmp_path):
    model = tmp_path / "own.py"
    model.write_text(
        (small / "small.py").read_text() + "\n\ndef get_calibration_inputs():\n    return torch.randn(9, 3, 8, 8)\n"
    )
    done = quantize(small, "int8", tmp_path / "m.tflite", "--model", model)
    assert done.returncode == 0, done.stderr
    assert "get_calibration_inputs() of own.py" in (tmp_path / "m.json").read_text()


RANDOM = np.random.RandomState(0).randn(12, 3, 8, 8).astype(np.float32)
BAD = {
    "none": (None, "there are no calibration inputs"),
    "random": ("normal:0:1", "is random numbers"),
    "constant": (np.ones((12, 3, 8, 8), np.float32), "12 times the same sample"),
    "flat": (np.arange(12, dtype=np.float32)[:, None, None, None] * np.ones((1, 3, 8, 8), np.float32), "are constant"),
    "two": (RANDOM[:2], "are 2 samples: ranges need at least 8"),
    "NaN": (RANDOM * np.float32(np.nan), "holds NaN or infinity"),
    "another shape": (RANDOM[:, :, :4], "has shape [12, 3, 4, 8]"),
    "integers": (np.ones((12, 3, 8, 8), np.int64), "is of int64; the model takes float32"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_calibration_inputs_are_one_clear_line_and_leave_nothing(small, tmp_path, name):
    given, message = BAD[name]
    more = []
    if isinstance(given, str):
        more = ["--calibration", given]
    elif given is not None:
        np.save(str(tmp_path / "given.npy"), given)
        more = ["--calibration", tmp_path / "given.npy"]
    done = integers(small, tmp_path / "m.tflite", *more)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not list(tmp_path.glob("m.*"))
