"""Each hurdle of the 2020 article, and that its remedy is what clears it: the symptom comes back without it."""

import numpy as np
import onnx
import onnx_tf.backend
import pytest
import tensorflow as tf
from onnx import helper

from converted import run_graph, run_tflite
from ferry.errors import UnsupportedModelError
from ferry.export import pytorch_export
from ferry.graph.pass_list import PASSES
from ferry.lowering import convert_onnx, graph_builder
from ferry.model import model_file
from ferry.runtimes.tensorflow_runtime import TensorflowRuntime
from ferry.tflite import converter, flatbuffer
from onnx_models import model_of, normal
from programs import ROOT, run_python, run_stage, write_model

DEPTHWISE_NET = (
    "F.relu6(self.c(x))", "torch.randn(1, 8, 8, 8)", "self.c = nn.Conv2d(8, 8, 3, padding=1, groups=8)"
)  # fmt: skip


def exported(folder, *model):
    path = write_model(folder / "model.py", *model)
    return pytorch_export.to_onnx(model_file.load(str(path)))


# The converter's binary is missing from PATH.

OLD_CONVERTER = """
    import sys, tensorflow as tf
    from ferry.tflite import converter
    if sys.argv[1] == "without":
        converter.put_interpreter_on_path = lambda: None
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [1, 4], name="input")
        tf.identity(x + 1, name="output")
    converter.convert(graph.as_graph_def())
    old = tf.compat.v1.lite.TFLiteConverter(graph.as_graph_def(), [x], [graph.get_tensor_by_name("output:0")])
    old.experimental_new_converter = False
    try:
        print("converted", len(old.convert()) > 0)
    except Exception as error:
        print(error)
"""


def test_the_converters_binary_is_found_with_no_environment_activated():
    assert "converted True" in run_python(OLD_CONVERTER, "with", env={"PATH": "/usr/bin:/bin"}).stdout


def test_without_the_remedy_it_is_not():
    done = run_python(OLD_CONVERTER, "without", env={"PATH": "/usr/bin:/bin"})
    assert "Could not find toco_from_protos" in done.stdout


# int64 shape arithmetic that the interpreter refuses.


def shape_net():
    """``x.reshape(x.shape[0] * 2, -1)`` as the exporter writes it, unless sizes are numbers while it traces."""
    constants = {name: np.array(value) for name, value in (("first", 0), ("two", 2), ("rest", [-1]))}
    nodes = [
        helper.make_node("Shape", ["x"], ["shape"], name="shape"),
        helper.make_node("Gather", ["shape", "first"], ["size"], name="size"),
        helper.make_node("Mul", ["size", "two"], ["doubled"], name="double"),
        helper.make_node("Unsqueeze", ["doubled"], ["row"], name="row", axes=[0]),
        helper.make_node("Concat", ["row", "rest"], ["wanted"], name="wanted", axis=0),
        helper.make_node("Reshape", ["x", "wanted"], ["y"], name="reshape"),
    ]
    return model_of(nodes, {"x": [1, 3, 8, 8]}, constants)


ALLOWED_BY_SHAPE_NET = {"Placeholder", "Const", "Reshape", "Identity"}


def test_no_shape_arithmetic_leaves_the_export(tmp_path):
    model = exported(tmp_path, "x.reshape(x.shape[0] * 2, x.shape[1] + 1, -1)", "torch.randn(1, 3, 8, 8)")
    assert {node.op_type for node in model.graph.node} == {"Constant", "Reshape"}


def test_no_shape_arithmetic_reaches_tensorflow():
    graph_def = convert_onnx.convert(shape_net())
    assert {node.op for node in graph_def.node} == ALLOWED_BY_SHAPE_NET
    x = normal(1, 1, 3, 8, 8)
    np.testing.assert_array_equal(run_tflite(converter.convert(graph_def), {"x": x})[0], x.reshape(2, -1))


def test_without_folding_it_does(monkeypatch):
    monkeypatch.setattr(convert_onnx, "PASSES", [each for each in PASSES if each.name != "fold_constants"])
    graph_def = convert_onnx.convert(shape_net())
    int64 = [node.op for node in graph_def.node if node.attr["T"].type == tf.int64.as_datatype_enum]
    assert "Sub" in int64


# Flex operators.


def test_the_default_model_needs_no_flex(mobilenet):
    assert flatbuffer.flex_operators(flatbuffer.operators(flatbuffer.load(str(mobilenet / "model.tflite")))) == {}


@pytest.mark.slow
def test_a_model_that_needs_flex_is_said_to_by_operator(tmp_path):
    write_model(tmp_path / "model.py", "self.c(x)", "torch.randn(1, 2, 4, 5, 5)", "self.c = nn.Conv3d(2, 3, 3)")
    run_stage("export_onnx", "--model", tmp_path / "model.py", "--output", tmp_path / "model.onnx")
    run_stage("onnx_to_tf", "--input", tmp_path / "model.onnx", "--output", tmp_path / "model.pb")
    files = ["--input", tmp_path / "model.pb", "--output", tmp_path / "model.tflite"]
    refused = run_stage("tf_to_tflite", *files, "--flex", "refuse")
    assert refused.returncode == 1
    assert "no builtin kernel for Conv3D (built for the ONNX operator Conv (node " in refused.stderr
    assert "from model.py:12))" in refused.stderr
    assert not (tmp_path / "model.tflite").exists()
    allowed = run_stage("tf_to_tflite", *files)
    assert allowed.returncode == 0, allowed.stderr
    assert "no builtin kernel for Conv3D (1): the app needs the Flex delegate" in allowed.stdout
    verified = run_stage("verify", "--model", tmp_path / "model.py", "--build", tmp_path, "--samples", 5)
    assert verified.returncode == 0, verified.stderr


# NCHW convolutions that no CPU runs.


def test_the_frozen_graph_runs_on_a_cpu(tmp_path):
    graph_def = convert_onnx.convert(exported(tmp_path, *DEPTHWISE_NET))
    formats = {node.attr["data_format"].s for node in graph_def.node if "data_format" in node.attr}
    assert formats == {b"NHWC"}
    run_graph(graph_def, {"input": normal(1, 1, 8, 8, 8)})


def built_for_a_gpu(monkeypatch):
    monkeypatch.setattr(graph_builder, "lowerings_of", lambda operator: [])
    monkeypatch.setattr(graph_builder, "_is_cpu", lambda device: True)


def test_without_the_lowerings_and_the_pin_it_does_not(tmp_path, monkeypatch):
    built_for_a_gpu(monkeypatch)
    monkeypatch.setattr(convert_onnx, "refuse_unusable", lambda graph_def: None)
    graph_def = convert_onnx.convert(exported(tmp_path, *DEPTHWISE_NET))
    with pytest.raises(tf.errors.OpError, match="NHWC"):
        run_graph(graph_def, {"input": normal(1, 1, 8, 8, 8)})


def test_a_convolution_left_in_nchw_is_an_error_not_a_file(tmp_path, monkeypatch):
    built_for_a_gpu(monkeypatch)
    with pytest.raises(UnsupportedModelError, match="no CPU runs these operators, which are in NCHW: Conv2D"):
        convert_onnx.convert(exported(tmp_path, *DEPTHWISE_NET))


# A graph that depends on whether a GPU is visible.

WITH_A_GPU = """
    import hashlib, sys
    from types import SimpleNamespace
    import numpy as np, onnx
    from ferry.frozen import frozen_graph
    from ferry.lowering import convert_onnx, graph_builder
    from tensorflow.python.client import device_lib
    if "gpu" in sys.argv:
        device_lib.list_local_devices = lambda *_: [SimpleNamespace(name="/gpu:0", device_type="GPU")]
    if "without" in sys.argv:
        graph_builder.pin_onnx_tf = lambda: None
    model = onnx.load(sys.argv[1])
    try:
        made = frozen_graph.to_bytes(convert_onnx.convert(model))
        print(hashlib.sha256(made).hexdigest())
    except Exception as error:
        print("failed:", error)
"""


@pytest.fixture(scope="module")
def computed_weights_net(tmp_path_factory):
    # A convolution whose weights are computed goes through onnx-tf's own handler, which asks for a GPU.
    node = helper.make_node("Conv", ["x", "w"], ["y"], name="conv", kernel_shape=[3, 3], group=2)
    path = tmp_path_factory.mktemp("computed_weights") / "model.onnx"
    onnx.save(model_of([node], {"x": [1, 4, 8, 8], "w": [6, 2, 3, 3]}), str(path))
    return path


def test_the_graph_is_the_same_when_a_gpu_is_visible(computed_weights_net):
    outputs = [run_python(WITH_A_GPU, computed_weights_net, *words).stdout for words in ([], ["gpu"])]
    assert outputs[0] == outputs[1]
    assert "failed" not in outputs[0]


def test_without_the_pin_it_is_not(computed_weights_net):
    outputs = [run_python(WITH_A_GPU, computed_weights_net, "without", *words).stdout for words in ([], ["gpu"])]
    assert outputs[0] != outputs[1]


@pytest.mark.slow
def test_building_the_graph_hides_the_gpu(computed_weights_net, tmp_path):
    # A stage that opened the GPU would take its memory and a minute's start for nothing.
    program = """
        import os, runpy, sys
        stage = runpy.run_path(sys.argv.pop(1))
        os.environ["CUDA_VISIBLE_DEVICES"] = "0"
        stage["main"]()
        print(os.environ["CUDA_VISIBLE_DEVICES"])
    """
    files = ["--input", computed_weights_net, "--output", tmp_path / "model.pb"]
    done = run_python(program, ROOT / "scripts" / "onnx_to_tf.py", *files, env={"VERBOSE": "1"})
    assert done.stdout.splitlines()[-1] == "-1"


# An inference loop that opens a session a call.


@pytest.fixture()
def opened(monkeypatch):
    """A list that grows by one with each session that is opened."""
    opened = []

    class Counting(tf.compat.v1.Session):
        def __init__(self, *arguments, **options):
            opened.append(1)
            super().__init__(*arguments, **options)

    monkeypatch.setattr(tf.compat.v1, "Session", Counting)
    return opened


def test_one_session_serves_every_inference(mobilenet, opened):
    runtime = TensorflowRuntime(str(mobilenet / "model.pb"))
    for seed in range(3):
        runtime.run([normal(seed, 1, 3, 224, 224)])
    assert len(opened) == 1


def test_onnx_tfs_own_run_opens_one_each_time(tmp_path, opened):
    rep = onnx_tf.backend.prepare(exported(tmp_path, "x * 2"))
    for seed in range(3):
        rep.run(normal(seed, 1, 3, 8, 8))
    assert len(opened) == 3


# Depthwise convolution as thousands of splits.


def test_mobilenet_has_the_operators_of_a_native_one(mobilenet):
    operators = flatbuffer.operators(flatbuffer.load(str(mobilenet / "model.tflite")))
    assert operators["CONV_2D"] == 35
    assert operators["DEPTHWISE_CONV_2D"] == 17
    assert operators["TRANSPOSE"] == 1
    assert sum(operators.values()) <= 100


def test_without_the_lowering_a_depthwise_convolution_is_one_a_channel(tmp_path, monkeypatch):
    model = exported(tmp_path, *DEPTHWISE_NET)
    assert flatbuffer.operators(converter.convert(convert_onnx.convert(model)))["DEPTHWISE_CONV_2D"] == 1
    monkeypatch.setattr(graph_builder, "lowerings_of", lambda operator: [])
    assert flatbuffer.operators(converter.convert(convert_onnx.convert(model)))["CONV_2D"] == 8
