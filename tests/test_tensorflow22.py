"""TF=2.2: the stages in the environment of TensorFlow 2.2.0, each in a process of its own."""

import json
import re

import pytest

from ferry.tflite import flatbuffer
from programs import ROOT, convert, run, run_python, run_stage, write_model

pytestmark = pytest.mark.slow

MOBILENET = ROOT / "models" / "mobilenet_v2.py"


def operators(folder):
    return flatbuffer.operators(flatbuffer.load(str(folder / "model.tflite")))


def test_it_makes_the_operators_that_24_makes_and_needs_no_flex(mobilenet, mobilenet22):
    assert operators(mobilenet22) == operators(mobilenet)
    assert not flatbuffer.flex_operators(operators(mobilenet22))
    assert (mobilenet22 / "model.onnx").read_bytes() == (mobilenet / "model.onnx").read_bytes()


def test_the_default_model_passes_at_every_stage(mobilenet22, tensorflow22):
    done = run_stage(
        "verify", "--model", MOBILENET, "--build", mobilenet22, "--samples", 20, python=tensorflow22
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    text = (mobilenet22 / "report.json").read_text()
    report = json.loads(text)
    assert [name for name, stage in report["stages"].items() if stage["passed"]] == ["onnx", "tensorflow", "tflite"]
    assert '"2.2.0"' in text


def test_the_bytes_are_the_same_a_second_time(mobilenet22, tensorflow22, tmp_path):
    again = convert(MOBILENET, tmp_path / "again", python=tensorflow22, env={"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"})
    for name in ("model.onnx", "model.pb", "model.tflite"):
        assert (again / name).read_bytes() == (mobilenet22 / name).read_bytes(), name


# The article's hurdle, with the TensorFlow that the article met it with.

CONVERT = """
    import sys, tensorflow as tf
    from ferry.errors import FerryError
    from ferry.tflite import converter
    if sys.argv[1] == "without":
        converter.put_interpreter_on_path = lambda: None
    with tf.Graph().as_default() as graph:
        tf.identity(tf.compat.v1.placeholder(tf.float32, [1, 4], name="input") + 1, name="output")
    try:
        print("converted", len(converter.convert(graph.as_graph_def())) > 0)
    except FerryError as error:
        print(error)
"""


@pytest.mark.parametrize(
    ("remedy", "said"), [("with", "converted True"), ("without", "Could not find toco_from_protos binary")]
)
def test_the_converters_binary_is_found_by_the_remedy(tensorflow22, remedy, said):
    assert said in run_python(CONVERT, remedy, python=tensorflow22, env={"PATH": "/usr/bin:/bin"}).stdout


# TFLite 2.2 transposes four dimensions at most; with one channel there is nothing to transpose.
ONE_CHANNEL = ("self.c(x.reshape(1, 1, 4, 4, 4))", "torch.randn(1, 64)", "self.c = nn.Conv3d(1, 1, 3)")


def test_what_needs_flex_is_named_and_is_not_taken_for_verified(tensorflow22, tmp_path):
    model = write_model(tmp_path / "model.py", *ONE_CHANNEL)
    files = ["--input", tmp_path / "model.pb", "--output", tmp_path / "model.tflite"]
    convert(model, tmp_path, python=tensorflow22)
    allowed = run_stage("tf_to_tflite", *files, python=tensorflow22)
    assert "no builtin kernel for Conv3D (1): the app needs the Flex delegate" in allowed.stdout
    refused = run_stage("tf_to_tflite", *files, "--flex", "refuse", python=tensorflow22)
    assert refused.returncode == 1
    assert "TFLite has no builtin kernel for Conv3D (built for the ONNX operator Conv" in refused.stderr
    assert "and Flex is refused" in refused.stderr
    verified = run_stage("verify", "--model", model, "--build", tmp_path, "--samples", 3, python=tensorflow22)
    assert verified.returncode != 0
    assert "which TensorFlow 2.2.0's interpreter is without" in verified.stdout + verified.stderr
    assert "Traceback" not in verified.stderr


# What its converter does wrong.

WITHOUT_THE_REMEDY = """
    import runpy, sys
    from ferry.lowering import old_converter
    old_converter.IS_OLD = "without" not in sys.argv
    sys.argv = [word for word in sys.argv if word != "without"]
    runpy.run_path(sys.argv.pop(1))["main"]()
"""


@pytest.mark.parametrize(("words", "code"), [([], 0), (["without"], 2)])
def test_a_model_that_it_converts_wrongly_fails_and_with_the_remedy_passes(tensorflow22, tmp_path, words, code):
    factors = "torch.tensor([[1.0], [2.0], [3.0], [4.0]])"
    members = f"self.c = nn.Conv2d(3, 3, 1, bias=False); self.k = nn.Parameter({factors})"
    model = write_model(tmp_path / "model.py", "self.c(x) * self.k", "torch.randn(1, 3, 4, 5)", members)
    options = {"python": tensorflow22}
    assert run_stage("export_onnx", "--model", model, "--output", tmp_path / "model.onnx", **options).returncode == 0
    files = ["--input", tmp_path / "model.onnx", "--output", tmp_path / "model.pb"]
    run_python(WITHOUT_THE_REMEDY, ROOT / "scripts" / "onnx_to_tf.py", *files, *words, **options)
    files = ["--input", tmp_path / "model.pb", "--output", tmp_path / "model.tflite"]
    assert run_stage("tf_to_tflite", *files, **options).returncode == 0
    verified = run_stage("verify", "--model", model, "--build", tmp_path, "--samples", 20, **options)
    assert verified.returncode == code, verified.stdout + verified.stderr
    stages = json.loads((tmp_path / "report.json").read_text())["stages"]
    assert {name: stage["passed"] for name, stage in stages.items()} == {
        "onnx": True,
        "tensorflow": True,
        "tflite": code == 0,
    }


# The parts of classifiers.
LOWERINGS = [
    "batch_normalization",
    "binary",
    "clip",
    "conv",
    "conv_transpose",
    "gemm",
    "pool",
    "rearranging",
    "reduce",
    "reshape",
    "resize",
    "softmax",
]


def test_the_lowerings_tests_pass_with_it_too(tensorflow22):
    files = [f"tests/ferry/lowering/operators/test_{name}.py" for name in LOWERINGS]
    pytest_ = [tensorflow22, "-m", "pytest", "-p", "toco_in_process", "-p", "no:cacheprovider"]
    # Its interpreter has no Flex, which a convolution of volumes needs.
    pytest_ += ["-k", "not where_the_interpreter_would_abort"]
    done = run(*pytest_, *files, env={"PYTHONPATH": str(ROOT / "tests")}, timeout=1800)
    assert done.returncode == 0, done.stdout[-5000:]
    assert int(re.search(r"(\d+) passed", done.stdout).group(1)) > 200
