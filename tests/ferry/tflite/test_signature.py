"""The signature of a ``.tflite``: its names are the user's, and nothing else about the file changes."""

import subprocess

import numpy as np
import pytest
import tensorflow as tf

from converted import run_tflite
from ferry.tflite import batch_products, converter, description, flatbuffer, signature
from onnx_models import normal
from runners import venv

NEWEST = """
import sys
import numpy as np
from ai_edge_litert.interpreter import Interpreter

runner = Interpreter(model_path=sys.argv[1]).get_signature_runner("serving_default")
made = runner(left=np.ones([2, 3], np.float32), right=np.full([2, 3], 2, np.float32))
print({name: array.tolist() for name, array in sorted(made.items())})
"""


def model():
    with tf.Graph().as_default() as graph:
        left, right = (tf.compat.v1.placeholder(tf.float32, [2, 3], name=name) for name in ("left", "right"))
        tf.identity(left - right, name="less")
        tf.identity(left + tf.matmul(right, tf.constant(normal(1, 3, 3))), name="more")
    return converter.convert(graph.as_graph_def())


def test_its_names_are_those_of_the_inputs_and_outputs():
    data = model()
    assert signature.read(data) == {}
    made = signature.prefix(data) + data
    inputs, outputs = flatbuffer.interface(data)
    assert signature.read(made) == {"serving_default": {"inputs": inputs, "outputs": outputs}}


def test_the_rest_of_the_file_is_as_it_was():
    data = description.with_description(model(), "0" * 64, "1" * 64, {"torch": "1.5.1"})
    made = signature.prefix(data) + data
    assert description.read(made) == description.read(data)
    assert flatbuffer.operators(made) == flatbuffer.operators(data)
    # The weights are as aligned as they were.
    weights = normal(1, 3, 3).T.tobytes()
    assert (made.index(weights) - data.index(weights)) % 16 == 0
    assert len(made) - len(data) < 512
    feeds = {"left": normal(2, 2, 3), "right": normal(3, 2, 3)}
    for old, new in zip(run_tflite(data, feeds), run_tflite(made, feeds)):
        np.testing.assert_array_equal(old, new)


def test_a_file_with_a_signature_can_be_cut_short_nowhere(tmp_path):
    data = description.with_description(model(), "0" * 64, "1" * 64, {"torch": "1.5.1"})
    made = signature.prefix(data) + data
    path = tmp_path / "model.tflite"
    path.write_bytes(made)
    assert flatbuffer.load(str(path)) == made
    # The last bytes only fill the file up to a multiple of four.
    for length in range(0, len(made) - 3, 97):
        path.write_bytes(made[:length])
        with pytest.raises(flatbuffer.InputFileError):
            flatbuffer.load(str(path))


def test_a_file_that_was_rewritten_takes_one_too():
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [2, 3, 4], name="x")
        tf.identity(tf.matmul(x, x, transpose_b=True), name="y")
    data, count = batch_products.rolled_up(converter._converted(graph.as_graph_def(), allow_flex=False))
    assert count == 1
    made = signature.prefix(data) + data
    assert signature.read(made)["serving_default"] == {"inputs": ["x"], "outputs": ["y"]}
    assert run_tflite(made, {"x": normal(1, 2, 3, 4)})[0].shape == (2, 3, 3)


@pytest.mark.slow
def test_the_newest_runtime_calls_it_by_them(tmp_path):
    with tf.Graph().as_default() as graph:
        left, right = (tf.compat.v1.placeholder(tf.float32, [2, 3], name=name) for name in ("left", "right"))
        tf.identity(left - right, name="less")
        tf.identity(left + right, name="more")
    data = converter.convert(graph.as_graph_def())
    path = tmp_path / "model.tflite"
    path.write_bytes(signature.prefix(data) + data)
    done = subprocess.run([venv.ensure(venv.BENCH), "-c", NEWEST, path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str({"less": [[-1.0] * 3] * 2, "more": [[3.0] * 3] * 2})
