"""`verify` on a file that Ferry did not make: matched, judged, and failed where it is wrong."""

import json

import pytest
import tensorflow as tf

from ferry.tflite import converter, editable
from programs import run_stage
from runners import venv

MODEL = """
import torch

class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.conv = torch.nn.Conv2d(4, 6, 3, padding=1)
        self.classifier = torch.nn.Linear(6, 5)

    def forward(self, image):
        found = torch.relu(self.conv(image))
        return self.classifier(found.mean([2, 3]))

def get_pytorch_model():
    return Model().eval()

def get_example_input():
    return {"image": torch.zeros(1, 4, 4, 4)}
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "small.py"
    path.write_text(MODEL)
    return path


@pytest.fixture(scope="module")
def weights(model):
    names: dict = {}
    exec(compile(model.read_text(), str(model), "exec"), names)
    return {name: value.numpy() for name, value in names["get_pytorch_model"]().state_dict().items()}


def theirs(weights, sign=1.0):
    """The model as a converter of its own would write it: channels last, and with names of TensorFlow's."""
    with tf.Graph().as_default() as graph:
        image = tf.compat.v1.placeholder(tf.float32, [1, 4, 4, 4], name="serving_default_args_0")
        kernel = weights["conv.weight"].transpose(2, 3, 1, 0).copy()
        kernel[:, :, 0, 0] *= sign
        found = tf.nn.relu(tf.nn.conv2d(image, kernel, 1, "SAME") + weights["conv.bias"])
        scores = tf.matmul(tf.reduce_mean(found, [1, 2]), weights["classifier.weight"].T) + weights["classifier.bias"]
        tf.identity(scores, name="StatefulPartitionedCall")
    return converter.convert(graph.as_graph_def())


def judged(model, folder, data, *options):
    folder.mkdir(exist_ok=True)
    (folder / "theirs.tflite").write_bytes(data)
    done = run_stage(
        *("verify", "--model", model, "--build", folder, "--tflite", folder / "theirs.tflite", "--samples", 20),
        *options,
    )
    report = folder / "report.json"
    return done, json.loads(report.read_text()) if report.exists() else None


def test_a_right_file_passes_and_its_layout_is_found_by_its_values(model, weights, tmp_path):
    done, report = judged(model, tmp_path / "right", theirs(weights))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "image is input 0 (nhwc)" in done.stdout
    assert "by values" in done.stdout
    assert list(report["stages"]) == ["tflite"]
    assert report["passed"] is True


def test_a_wrong_weight_fails(model, weights, tmp_path):
    done, report = judged(model, tmp_path / "wrong", theirs(weights, sign=-1.0), "--io", "0:nhwc")
    assert done.returncode == 2, done.stdout + done.stderr
    assert report["passed"] is False
    # The convolution is the first operator of the file.
    assert "tflite: it differs from CONV_2D on, operator 0" in done.stdout
    assert report["stages"]["tflite"]["where"]["operator"] == "CONV_2D"


def test_a_wrong_last_layer_is_named_and_what_agrees_before_it(model, weights, tmp_path):
    wrong = {**weights, "classifier.bias": weights["classifier.bias"] + 0.1}
    done, _ = judged(model, tmp_path / "last", theirs(wrong), "--io", "0:nhwc")
    assert done.returncode == 2, done.stdout + done.stderr
    assert "tflite: it differs from FULLY_CONNECTED on" in done.stdout
    assert "before it agrees" in done.stdout


def test_a_file_that_is_none_of_this_model_is_one_clear_line(model, tmp_path):
    with tf.Graph().as_default() as graph:
        tf.identity(tf.compat.v1.placeholder(tf.float32, [1, 7], name="x") * 2, name="y")
    done, _ = judged(model, tmp_path / "other", converter.convert(graph.as_graph_def()))
    assert done.returncode == 1
    assert "the file's inputs (x float32 [1, 7]) are not PyTorch's (image float32 [1, 4, 4, 4])" in done.stderr
    assert "Traceback" not in done.stderr


def test_operators_that_are_newer_than_tensorflow_run_in_the_newest_runtime(model, weights, tmp_path):
    data = newer(theirs(weights))
    done, _ = judged(model, tmp_path / "old", data)
    assert done.returncode == 1
    assert "CONV_2D of version 6, which TensorFlow 2.4's interpreter is without" in done.stderr
    done, report = judged(model, tmp_path / "newest", data, "--newest", venv.ensure(venv.BENCH))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "it runs in the newest TFLite runtime" in done.stdout
    assert report["passed"] is True


def newer(data):
    """The same file, whose convolution says that it is of a version which came with TensorFlow 2.9."""
    model = editable.EditableModel(data)
    for code in model._model.operatorCodes:
        if max(code.builtinCode, code.deprecatedBuiltinCode) == editable.schema.BuiltinOperator.CONV_2D:
            code.version = 6
    return model.to_bytes()
