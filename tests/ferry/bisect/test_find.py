"""Faults planted at every stage, each of which must be named by its node and by the PyTorch module it came from."""

import numpy as np
import onnx
import pytest
import tensorflow as tf
import tflite as schema
from onnx import numpy_helper
from torch.onnx import symbolic_opset9

from ferry.bisect.find import Bisection
from ferry.export import pytorch_export, symbolics
from ferry.frozen import frozen_graph
from ferry.graph import onnx_file, operator_registry
from ferry.graph.passes import affine
from ferry.lowering import convert_onnx
from ferry.lowering.operators import clip, concat, conv, gemm, pad, pool, resize
from ferry.lowering.operators import slice_ as slicing
from ferry.lowering.tensors import ChannelsLast
from ferry.model import model_file
from ferry.tflite import converter
from programs import write_model

MODEL = """\
import torch
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    def __init__(self, channels, dilation):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation, groups=channels)
        self.norm = nn.BatchNorm2d(channels)
        self.act = nn.ReLU6(inplace=True)

    def forward(self, x):
        return x + self.act(self.norm(self.conv(x)))


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=True)
        self.pad = nn.ReflectionPad2d(1)
        self.pool = nn.MaxPool2d(3, 2, padding=1)
        self.blocks = nn.Sequential(Block(8, 1), Block(8, 2))
        self.norm = nn.BatchNorm2d(8)
        self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
        self.head = nn.Linear(12, 10)
        self.scores = nn.Softmax(dim=1)

    def forward(self, x):
        x = torch.clamp(self.stem(x), -1.5, 1.5)
        x = self.blocks(self.pool(self.pad(x)))
        y = self.up(self.norm(x))
        z = torch.cat([y[:, 2:6], y], 1)
        return self.scores(self.head(z.mean([2, 3])))


def get_pytorch_model():
    torch.manual_seed(1)
    model = Model()
    for part in model.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.uniform_(-0.2, 0.2)
            part.running_var.uniform_(0.01, 0.2)
            part.weight.data.uniform_(0.5, 1.5)
            part.bias.data.uniform_(-0.5, 0.5)
    return model.eval()


def get_example_input():
    return torch.zeros(1, 3, 30, 30)
"""
INPUTS = [np.random.RandomState(5).standard_normal((1, 3, 30, 30)).astype(np.float32)]


def export(model, build):
    build.mkdir()
    made = pytorch_export.to_onnx(model_file.load(str(model)))
    (build / "model.onnx").write_bytes(made.SerializeToString(deterministic=True))


def lower(build, layout="nchw"):
    graph_def = convert_onnx.convert(onnx_file.load(str(build / "model.onnx")), layout)
    frozen_graph.note_origin(graph_def, "ab" * 32)
    (build / "model.pb").write_bytes(frozen_graph.to_bytes(graph_def))
    (build / "model.tflite").write_bytes(converter.convert(graph_def))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "planted.py"
    path.write_text(MODEL)
    return path


@pytest.fixture()
def build(model, tmp_path):
    export(model, tmp_path / "build")
    return tmp_path / "build"


def find(model, build, stage):
    return Bisection(str(model), str(build)).find(stage, INPUTS)


@pytest.mark.parametrize("stage", ["onnx", "tensorflow", "tflite"])
def test_a_sound_conversion_differs_nowhere(model, build, stage):
    lower(build)
    assert find(model, build, stage) is None


@pytest.mark.parametrize("stage", ["tensorflow", "tflite"])
def test_nor_does_one_with_its_channels_last(model, build, stage):
    lower(build, "nhwc")
    bisection = Bisection(str(model), str(build), "nhwc")
    assert bisection.find(stage, INPUTS) is None


def altered(lowering, **attributes):
    """The lowering ``lowering``, given a node that differs in ``attributes``."""

    def lower_otherwise(node, tensors):
        for name, value in attributes.items():
            if name in node.attributes:
                node.attributes[name] = value
        return lowering(node, tensors)

    return lower_otherwise


def followed(lowering, change):
    """The lowering ``lowering`` with ``change`` done to what it made."""

    def lower_and_change(node, tensors):
        (made,) = lowering(node, tensors)
        return [ChannelsLast(change(made.tensor)) if isinstance(made, ChannelsLast) else change(made)]

    return lower_and_change


def wrong_epsilon(monkeypatch):
    # Every batch norm that is folded into a convolution goes through this one function.
    right = affine.scale_and_shift
    monkeypatch.setattr(affine, "scale_and_shift", lambda found, epsilon: right(found, 2 * epsilon))


def lower_as(operator, lowering):
    return lambda monkeypatch: monkeypatch.setitem(operator_registry.LOWERINGS, operator, {0: lowering})


def where(applies, wrong, right=conv.lower):
    """``wrong`` for the nodes that ``applies`` holds of, ``right`` for the others."""
    return lambda node, tensors: (wrong if applies(node) else right)(node, tensors)


def is_stem(node):
    return node.attributes["strides"] == [2, 2]


def is_dilated(node):
    return node.attributes["dilations"] == [2, 2]


def without_bias(node, tensors):
    node.inputs = node.inputs[:2]
    return conv.lower(node, tensors)


def left_out(node, tensors):
    return [ChannelsLast(tensors.last(node.inputs[0]))]


def one_further(made):
    return tf.concat([made[..., 1:], made[..., :1]], -1)


# The plant, the step it shows in, and the operator and module that must be named.
PLANTS = {
    "wrong epsilon": (wrong_epsilon, "rewriting", "BatchNormalization", "blocks.0.norm"),
    "swapped padding": (
        lower_as("Conv", where(is_stem, altered(conv.lower, pads=[0, 0, 2, 2]))), "lowering", "Conv", "stem",
    ),
    "lost bias": (lower_as("Conv", where(is_stem, without_bias)), "lowering", "Conv", "stem"),
    "wrong dilation": (
        lower_as("Conv", where(is_dilated, altered(conv.lower, dilations=[1, 1], pads=[1, 1, 1, 1]))),
        "lowering", "Conv", "blocks.1.conv",
    ),
    "reversed channels": (
        lower_as("Concat", followed(concat.lower, lambda made: tf.reverse(made, [3]))), "lowering", "Concat", "",
    ),
    "wrong limit": (
        lower_as("Clip", followed(clip.lower, lambda made: tf.minimum(made, 1.25))), "lowering", "Clip", "",
    ),
    "an operator left out": (lower_as("Clip", left_out), "lowering", "Clip", ""),
    "wrong axis": (
        lower_as("Softmax", lambda node, tensors: [tf.nn.softmax(tensors[node.inputs[0]], axis=0)]),
        "lowering", "Softmax", "scores",
    ),
    "a slice off by one": (
        lower_as("Slice", followed(slicing.lower, one_further)), "lowering", "Slice", "",
    ),
    "wrong resize mode": (
        lower_as("Resize", altered(resize.lower, coordinate_transformation_mode="half_pixel")),
        "lowering", "Resize", "up",
    ),
    "wrong pad mode": (lower_as("Pad", altered(pad.lower, mode="constant")), "lowering", "Pad", "pad"),
    "a little off everywhere": (
        lower_as("MaxPool", followed(pool.lower, lambda made: made * (1 + 2e-5))), "lowering", "MaxPool", "pool",
    ),
    "reversed classes": (
        lower_as("Gemm", followed(gemm.lower, lambda made: tf.reverse(made, [1]))), "lowering", "Gemm", "head",
    ),
}  # fmt: skip


@pytest.mark.parametrize("plant", PLANTS.values(), ids=PLANTS)
def test_a_fault_on_the_way_to_tensorflow_is_named(model, build, monkeypatch, plant):
    put, step, operator, scope = plant
    put(monkeypatch)
    lower(build)
    found = find(model, build, "tensorflow")
    assert (found.step, found.node.operator, found.node.scope) == (step, operator, scope)
    assert found.node.line.startswith(f"{model.name}:")
    maker = next(node for node in onnx.load(str(build / "model.onnx")).graph.node if found.tensor in node.output)
    assert maker.name in (found.node.name, *(node.name for node in found.also))
    assert found.before < 3e-6 < found.error
    assert found.after > 3e-6
    assert found.notes == ()


def test_each_piece_at_fault_is_counted(model, build, monkeypatch):
    wrong_epsilon(monkeypatch)
    lower(build)
    assert find(model, build, "tensorflow").others == (("BatchNormalization", 1),)


def test_a_graph_that_was_not_built_from_this_model_is_said_to_be(model, build):
    lower(build)
    graph_def = frozen_graph.load(str(build / "model.pb"))
    product = next(node for node in graph_def.node if node.op == "MatMul")
    weights = next(node for node in graph_def.node if node.name == product.input[1])
    array = tf.make_ndarray(weights.attr["value"].tensor)
    weights.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(array * 1.01))
    (build / "model.pb").write_bytes(frozen_graph.to_bytes(graph_def))
    found = find(model, build, "tensorflow")
    assert (found.node.operator, found.node.scope) == ("Gemm", "head")
    assert "make -B tf" in found.notes[0]


def test_weights_altered_in_the_tflite_are_named(model, build):
    lower(build)
    data = bytearray((build / "model.tflite").read_bytes())
    content = schema.Model.GetRootAsModel(data, 0)
    graph = content.Subgraphs(0)
    operators = [graph.Operators(position) for position in range(graph.OperatorsLength())]
    kind = schema.BuiltinOptions.DepthwiseConv2DOptions
    depthwise = [each for each in operators if each.BuiltinOptionsType() == kind]
    bias = content.Buffers(graph.Tensors(depthwise[1].Inputs(2)).Buffer()).DataAsNumpy().view(np.float32)
    bias += np.float32(0.1)
    (build / "model.tflite").write_bytes(bytes(data))
    assert find(model, build, "tensorflow") is None
    found = find(model, build, "tflite")
    assert found.made_by.startswith("DEPTHWISE_CONV_2D, operator ")
    assert "blocks.1.conv" in [node.scope for node in (found.node, *found.also)]
    assert "blocks.0.conv" not in [node.scope for node in (found.node, *found.also)]
    assert found.before < 3e-6 < found.error


def test_a_node_altered_in_the_onnx_model_is_named(model, build):
    made = onnx.load(str(build / "model.onnx"))
    resize_node = next(node for node in made.graph.node if node.op_type == "Resize")
    for attribute in resize_node.attribute:
        if attribute.name == "coordinate_transformation_mode":
            attribute.s = b"half_pixel"
    onnx.save(made, str(build / "model.onnx"))
    found = find(model, build, "onnx")
    assert (found.step, found.node.name, found.node.scope) == ("export", resize_node.name, "up")
    assert found.others == ()


def test_weights_altered_in_the_onnx_model_are_named(model, build):
    made = onnx.load(str(build / "model.onnx"))
    bias = next(entry for entry in made.graph.initializer if entry.name == "blocks.1.norm.bias")
    bias.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(bias) + np.float32(1e-3), bias.name))
    onnx.save(made, str(build / "model.onnx"))
    found = find(model, build, "onnx")
    assert (found.node.operator, found.node.scope) == ("BatchNormalization", "blocks.1.norm")


def written(tmp_path, *net):
    model = write_model(tmp_path / "net.py", *net)
    export(model, tmp_path / "build")
    return Bisection(str(model), str(tmp_path / "build")).find(
        "onnx", [np.random.RandomState(1).standard_normal((1, 3, 8, 8)).astype(np.float32)]
    )


def test_running_statistics_that_the_exporter_loses_are_named(tmp_path, monkeypatch):
    # PyTorch 1.5.1 by itself exports every InstanceNorm as one that computes its statistics from the input.
    monkeypatch.setitem(symbolics.SYMBOLICS, "instance_norm", symbolic_opset9.instance_norm)
    members = "self.c = nn.Conv2d(3, 4, 3); self.n = nn.InstanceNorm2d(4, track_running_stats=True, affine=True)"
    found = written(tmp_path, "torch.relu(self.n(self.c(x)))", "torch.randn(1, 3, 8, 8)", members)
    assert (found.step, found.node.operator, found.node.scope) == ("export", "InstanceNormalization", "n")


WRITES_INTO_A_PART = """
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.Conv2d(3, 4, 3)

    def forward(self, x):
        y = self.c(x)
        y[:, 0] += 1
        return y * 2


def get_pytorch_model():
    return Model().eval()


def get_example_input():
    return torch.zeros(1, 3, 8, 8)
"""
SOUND = {
    "an LSTM": ("self.l(x)[0]", "self.l = nn.LSTM(4, 6, bidirectional=True)", (5, 1, 4)),
    "two outputs of one operator": ("torch.topk(self.c(x).flatten(1), 3)[0]", "self.c = nn.Conv2d(3, 4, 3)"),
    "a module called twice": ("self.c(self.c(x))", "self.c = nn.Conv2d(3, 3, 3, padding=1)"),
    "an input returned": ("(x, x * 2)", "pass"),
    "attention": ("self.t(x.flatten(2).permute(2, 0, 1))", "self.t = nn.TransformerEncoderLayer(3, 1, 8)"),
    "a sum that cancels": ("(x - x.mean([1, 2, 3], keepdim=True)).mean([1, 2, 3])", "pass"),
    "a write into a part of a tensor": (WRITES_INTO_A_PART, ""),
}


@pytest.mark.parametrize("stage", ["onnx", "tensorflow", "tflite"])
@pytest.mark.parametrize("net", SOUND.values(), ids=SOUND)
def test_what_is_hard_to_follow_and_sound_parts_nowhere(tmp_path, net, stage):
    forward, members, shape = (*net, (1, 3, 8, 8))[:3]
    path = write_model(tmp_path / "net.py", forward, f"torch.zeros{shape}", members)
    if net[0] == WRITES_INTO_A_PART:
        path.write_text("import torch\nfrom torch import nn\n" + WRITES_INTO_A_PART)
    export(path, tmp_path / "build")
    lower(tmp_path / "build")
    inputs = [np.random.RandomState(1).standard_normal(shape).astype(np.float32)]
    assert Bisection(str(path), str(tmp_path / "build")).find(stage, inputs) is None


TRACED = {
    "a condition on a value": "x * 2 if x.sum() > 1e6 else x * 3",
    "a loop over a value": "x * int(x.abs().max() * 10)",
}


@pytest.mark.parametrize("forward", TRACED.values(), ids=TRACED)
def test_what_the_tracer_cannot_see_is_said(tmp_path, forward):
    found = written(tmp_path, forward, "torch.ones(1, 3, 8, 8) * 1e6")
    assert (found.step, found.node) == ("trace", None)
    assert "off in output by" in found.notes[0]


def test_an_onnx_model_of_another_graph_is_said_to_be_one(model, build, tmp_path):
    other = write_model(tmp_path / "other.py", "torch.relu(x)", "torch.zeros(1, 3, 30, 30)")
    found = Bisection(str(other), str(build)).find("onnx", INPUTS)
    assert found.node is None
    assert "make -B onnx" in found.notes[0]
