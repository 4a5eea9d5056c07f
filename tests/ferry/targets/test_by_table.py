"""What a file runs on, by the tables; and that what the tables say of microcontrollers' interpreter is so."""

import subprocess

import numpy as np
import pytest
import tensorflow as tf

from converted import run_tflite
from ferry.errors import UnsupportedModelError
from ferry.targets import by_table, target_tables
from ferry.targets.uses import arena_bytes, has_transpose_at_the_entry, uses
from ferry.tflite import converter, schema_names
from onnx_models import normal
from runners import venv

RUN = """
import sys
import numpy as np
from tflite_micro import runtime
interpreter = runtime.Interpreter.from_file(sys.argv[1])
interpreter.set_input(np.load(sys.argv[2]), 0)
interpreter.invoke()
np.save(sys.argv[3], interpreter.get_output(0))
"""


def made(compute, *shapes, **options):
    with tf.Graph().as_default() as graph:
        inputs = [tf.compat.v1.placeholder(tf.float32, shape, name=f"x{place}") for place, shape in enumerate(shapes)]
        tf.identity(compute(*inputs), name="y")
    return converter.convert(graph.as_graph_def(), **options)


@pytest.fixture(scope="module")
def convolution():
    """An NCHW image, transposed, convolved and averaged."""

    def compute(image):
        images = tf.transpose(image, [0, 2, 3, 1])
        found = tf.nn.relu(tf.nn.conv2d(images, tf.constant(normal(1, 3, 3, 3, 8)), 1, "SAME"))
        return tf.nn.softmax(tf.reduce_mean(found, [1, 2]))

    return made(compute, [1, 3, 16, 16])


@pytest.fixture(scope="module")
def product():
    """A product of two computed matrices."""
    return made(tf.matmul, [2, 3, 4], [2, 4, 5])


def answers(data):
    return {answer.target: answer for answer in by_table.all_targets(data)}


def test_each_row_says_whether_and_what_holds_the_file_back(convolution):
    said = answers(convolution)
    assert said["runtime"].verdict == by_table.YES
    assert "1.6 and newer: TRANSPOSE of version 1" in said["runtime"].detail
    assert said["xnnpack"].verdict == by_table.PARTLY
    assert "1 TRANSPOSE" in said["xnnpack"].held_back
    assert said["edgetpu"].verdict == by_table.NO
    assert "1 CONV_2D of float32" in said["edgetpu"].held_back
    assert any("QUANT=int8" in advice for advice in said["edgetpu"].advice)
    assert any("LAYOUT=nhwc" in advice for advice in said["edgetpu"].advice)
    assert said["micro"].verdict == by_table.YES


def test_a_transpose_at_the_entry_is_told_from_one_inside(convolution):
    assert has_transpose_at_the_entry(convolution)
    inside = made(lambda x: tf.transpose(tf.nn.relu(x), [0, 2, 1]), [1, 4, 5])
    assert not has_transpose_at_the_entry(inside)


def test_the_arena_holds_what_is_live_at_once():
    # The input, and the convolution's output in each step; two of them at once, and the weights are not among them.
    data = made(lambda x: tf.nn.relu(tf.tanh(tf.exp(x))), [1, 1024])
    assert arena_bytes(data) == 2 * 4 * 1024


def test_a_product_needs_a_newer_runtime_unless_it_is_unrolled(product):
    assert "2.3 and newer" in answers(product)["runtime"].detail
    with pytest.raises(UnsupportedModelError, match="BATCH_MATMUL of version 1, which came with 2.3"):
        by_table.must_run(product, "tflite-2.1")
    assert not by_table.takes("tflite-2.1", "BATCH_MATMUL")
    unrolled = made(tf.matmul, [2, 3, 4], [2, 4, 5], batch_matmul=False)
    by_table.must_run(unrolled, "tflite-2.1")
    assert by_table.takes("gpu", "BATCH_MATMUL")


def test_a_file_that_a_chip_does_not_take_is_refused_with_its_operators(convolution):
    with pytest.raises(UnsupportedModelError, match=r"TARGET=edgetpu: by the table of .*1 CONV_2D of float32"):
        by_table.must_run(convolution, "edgetpu")


def test_an_operator_from_tensorflow_itself_is_named():
    data = made(lambda x: tf.raw_ops.Erf(x=x), [1, 4])
    said = answers(data)
    assert said["runtime"].verdict == by_table.PARTLY
    assert said["runtime"].held_back == ("FlexErf",)
    assert said["micro"].verdict == by_table.NO


@pytest.mark.parametrize("name", by_table.DELEGATES)
def test_each_table_has_its_source_and_date_and_names_of_the_schema(name):
    table = target_tables.load(name)
    assert table.title and table.source
    assert len(table.date.split("-")) == 3
    assert set(table.rows) <= set(schema_names.OPERATORS.values())


def test_a_file_that_is_said_to_run_on_microcontrollers_does(convolution, tmp_path):
    assert answers(convolution)["micro"].verdict == by_table.YES
    image = normal(2, 1, 3, 16, 16)
    (tmp_path / "model.tflite").write_bytes(convolution)
    np.save(tmp_path / "x.npy", image)
    python = venv.ensure(venv.MICRO)
    files = [tmp_path / name for name in ("model.tflite", "x.npy", "y.npy")]
    subprocess.run([python, "-c", RUN, *files], check=True)
    (wanted,) = run_tflite(convolution, {"x0": image})
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), wanted, rtol=0, atol=1e-6)
    assert "TRANSPOSE" in {use.operator for use in uses(convolution)}
