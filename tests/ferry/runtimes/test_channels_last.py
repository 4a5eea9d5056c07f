import numpy as np
import pytest

from ferry.runtimes.channels_last import with_layout
from ferry.runtimes.onnx_runtime import OnnxRuntime
from ferry.runtimes.tensorflow_runtime import TensorflowRuntime
from ferry.runtimes.tflite_runtime import TfliteRuntime
from ferry.tflite import flatbuffer
from onnx_models import normal
from programs import convert, run_stage, write_model


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    """One image in, an image and a vector out, in both layouts: ``nchw/`` and ``nhwc/``."""
    folder = tmp_path_factory.mktemp("layouts")
    model = write_model(folder / "m.py", "(self.c(x), x.mean([2, 3]))", members="self.c = nn.Conv2d(3, 5, 3)")
    convert(model, folder / "nchw")
    steps = [
        ("onnx_to_tf", "--layout", "nhwc", "--input", "nchw/model.onnx", "--output", "nhwc/model.pb"),
        ("tf_to_tflite", "--input", "nhwc/model.pb", "--output", "nhwc/model.tflite"),
    ]
    for step in steps:
        done = run_stage(*step, cwd=str(folder))
        assert done.returncode == 0, done.stderr
    return folder


def opened(build, layout):
    folder = build / layout
    return [TensorflowRuntime(str(folder / "model.pb")), TfliteRuntime(str(folder / "model.tflite"))]


def test_images_have_their_channels_last_and_nothing_is_transposed(build):
    for runtime in opened(build, "nhwc"):
        assert [spec.shape for spec in (*runtime.inputs, *runtime.outputs)] == [(1, 8, 8, 3), (1, 6, 6, 5), (1, 3)]
    count = flatbuffer.operators((build / "nhwc" / "model.tflite").read_bytes())
    assert "TRANSPOSE" not in count
    assert flatbuffer.operators((build / "nchw" / "model.tflite").read_bytes())["TRANSPOSE"] == 2


def test_behind_the_wrapper_they_answer_as_the_others_do(build):
    reference = OnnxRuntime(str(build / "nchw" / "model.onnx"))
    x = normal(1, 1, 3, 8, 8)
    expected = reference.run([x])
    for inner in opened(build, "nhwc"):
        runtime = with_layout(inner, "nhwc")
        assert (runtime.inputs, runtime.outputs) == (reference.inputs, reference.outputs)
        for made, wanted in zip(runtime.run([x]), expected):
            np.testing.assert_allclose(made, wanted, rtol=0, atol=5e-6)


def test_a_file_of_the_other_layout_shows_itself(build):
    for inner in opened(build, "nchw"):
        assert with_layout(inner, "nchw") is inner
        assert with_layout(inner, "nhwc").inputs[0].shape == (1, 8, 3, 8)


def test_the_article_has_no_such_layout(build):
    done = run_stage(
        "onnx_to_tf", "--graph", "article", "--layout", "nhwc", "--input", build / "nchw" / "model.onnx",
        "--output", build / "x.pb",
    )  # fmt: skip
    assert done.returncode == 2
    assert "the article's graph has the layout nchw alone" in done.stderr
