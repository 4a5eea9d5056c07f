"""Correct models of which every piece is right, and planted faults of which the piece is named."""

import shutil

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from develop.detection import faults
from ferry.model.model_source import ModelSource
from ferry.tflite import flatbuffer
from ferry.verify import random_inputs
from ferry.verify.pieces.piece_worker import PieceWorker
from programs import convert, run_stage, write_model

STAGES = {
    "onnx": ("model.onnx", faults.in_onnx),
    "tensorflow": ("model.pb", faults.in_graph),
    "tflite": ("model.tflite", faults.in_tflite),
}
# Each rounds in its own way more than PyTorch does: a long mean before a softmax that no one trained, a normalisation
# over a whole image and one in groups of volumes, sums in blocks, and the parts of a transformer.
CORRECT = {
    "mean": (
        "F.softmax(self.l(torch.relu(self.c(x)).mean([2, 3])), 1)",
        "torch.rand(1, 3, 112, 112)",
        "self.c = nn.Conv2d(3, 16, 1); self.l = nn.Linear(16, 40)",
    ),
    "norms": (
        "self.d(torch.relu(self.g(self.v(self.n(x).view(1, 1, 9, 32, 32)))))",
        "torch.randn(1, 1, 96, 96)",
        "self.n = nn.InstanceNorm2d(1, affine=True); self.v = nn.Conv3d(1, 8, 3); self.g = nn.GroupNorm(4, 8); "
        "self.d = nn.Conv3d(8, 2, 1)",
    ),
    "blocks": (
        "torch.log(self.l(x.pow(2).view(1, 16, 1024).sum(2).sqrt()).abs() + 1e-3)",
        "torch.randn(1, 16384)",
        "self.l = nn.Linear(16, 8)",
    ),
    "transformer": (
        "self.h(self.t(self.e(x)).mean(1))",
        "torch.randint(0, 500, (1, 6))",
        "self.e = nn.Embedding(500, 16); self.t = nn.TransformerEncoderLayer(16, 2, 24); self.h = nn.Linear(16, 5)",
    ),
    "shared": (
        "torch.cat([torch.sigmoid(x), x * torch.sigmoid(x), F.gelu(x), F.relu6(x + 3) * x / 6, x.clamp(-1, 3), "
        "torch.where(x > 1, x * 2, x), F.interpolate(F.max_pool2d(x, 2), scale_factor=2, mode='bilinear')], 1)",
        "torch.randn(1, 4, 8, 8)",
        "pass",
    ),
}


@pytest.fixture(scope="module", params=sorted(CORRECT))
def made(request, tmp_path_factory):
    """A model file and its artifacts."""
    folder = tmp_path_factory.mktemp(request.param)
    forward, example, members = CORRECT[request.param]
    model = write_model(folder / "m.py", forward, example, f"torch.manual_seed(1); {members}")
    return model, convert(model, folder)


def prove(model, build, stages=tuple(STAGES)):
    """What comes of the pieces of ``stages``, in this process."""
    worker = PieceWorker(ModelSource(str(model), "", ""), str(build), "nchw")
    return worker.prove(list(stages), random_inputs.draw(0, worker.examples, random_inputs.STANDARD_NORMAL))


def test_every_piece_of_a_correct_model_is_right(made):
    for stage, pieces in prove(*made).items():
        assert pieces.right, (stage, pieces.lines(stage))
        assert pieces.loose < pieces.count


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    """A table, convolutions and a linear layer, with their artifacts."""
    folder = tmp_path_factory.mktemp("net")
    members = (
        "torch.manual_seed(3); self.e = nn.Embedding(300, 48); self.c = nn.Conv2d(3, 8, 3, padding=1); "
        "self.d = nn.Conv2d(8, 8, 3, padding=1); self.h = nn.Linear(8, 10)"
    )
    forward = "self.h(torch.relu(self.d(torch.relu(self.c(self.e(x).view(1, 3, 8, 8))))).mean([2, 3]))"
    model = write_model(folder / "m.py", forward, "torch.randint(0, 9, (1, 4))", members)
    return model, convert(model, folder)


@pytest.mark.parametrize("stage", sorted(STAGES))
def test_each_planted_fault_is_found(net, stage, tmp_path):
    """Weights and rows, biases and padding, and what no input reaches: rows of the table, and values beyond 6."""
    model, build = net
    file, plant = STAGES[stage]
    found = list({fault.kind: fault for fault in plant((build / file).read_bytes(), seed=4)}.values())
    assert {"ReLU6 for ReLU", "one weight sign flipped", "one bias 0.1 % larger"} <= {fault.kind for fault in found}
    for number, fault in enumerate(found):
        planted = tmp_path / str(number)
        planted.mkdir()
        for name, _ in STAGES.values():
            shutil.copy(str(build / name), str(planted))
        (planted / file).write_bytes(fault.data)
        pieces = prove(model, planted, [stage])[stage]
        assert pieces.wrong, (fault.kind, pieces)


def test_rows_that_no_input_reads_are_found_and_named(net, tmp_path):
    model, build = net
    for name, _ in STAGES.values():
        shutil.copy(str(build / name), str(tmp_path))
    altered = onnx.load(str(build / "model.onnx"))
    table = next(entry for entry in altered.graph.initializer if list(entry.dims) == [300, 48])
    rows = numpy_helper.to_array(table).copy()
    rows[150:] = 0
    table.CopyFrom(numpy_helper.from_array(rows, table.name))
    onnx.save(altered, str(tmp_path / "model.onnx"))
    (piece,) = prove(model, tmp_path, ["onnx"])["onnx"].wrong
    assert piece.operator == "Gather" and not piece.reached
    assert piece.probe == "every row of its table"


def test_a_fused_lstm_is_held_against_float64(tmp_path):
    members = "torch.manual_seed(2); self.r = nn.LSTM(6, 8, bidirectional=True)"
    model = write_model(tmp_path / "m.py", "self.r(x)[0]", "torch.zeros(12, 1, 6)", members)
    convert(model, tmp_path)
    done = run_stage("onnx_to_tf", "--input", tmp_path / "model.onnx", "--output", tmp_path / "model.pb",
                     "--recurrent", "fused")  # fmt: skip
    assert done.returncode == 0, done.stderr
    run_stage("tf_to_tflite", "--input", tmp_path / "model.pb", "--output", tmp_path / "model.tflite")
    assert flatbuffer.operators((tmp_path / "model.tflite").read_bytes())["UNIDIRECTIONAL_SEQUENCE_LSTM"] == 2
    found = prove(model, tmp_path, ["tensorflow", "tflite"])
    assert all(pieces.right and not pieces.unjudged for pieces in found.values()), found
    for stage, (file, plant) in list(STAGES.items())[1:]:
        sound = (tmp_path / file).read_bytes()
        fault = next(each for each in plant(sound, seed=1) if "weight" in each.kind)
        (tmp_path / file).write_bytes(fault.data)
        assert prove(model, tmp_path, [stage])[stage].wrong, (stage, fault.kind)
        (tmp_path / file).write_bytes(sound)


def test_a_model_that_came_as_onnx_is_held_against_itself_in_float64(net, tmp_path):
    _, build = net
    given = tmp_path / "given.onnx"
    shutil.copy(str(build / "model.onnx"), str(given))
    found = prove(given, build)
    assert all(pieces.right for pieces in found.values()), found
    assert np.isfinite(found["onnx"].resolution)


@pytest.mark.parametrize("options", [("--graph", "article"), ("--layout", "nhwc")])
def test_pieces_of_other_graphs_bear_no_names_of_the_lowerings(tmp_path, options):
    """onnx-tf's own Relu_1 is another tensor than the lowerings'; with the channels last inputs have another layout."""
    forward = "self.d(F.max_pool2d(torch.relu(self.c(x)), 2).relu())"
    members = "torch.manual_seed(1); self.c = nn.Conv2d(3, 8, 3, padding=1); self.d = nn.Conv2d(8, 4, 3)"
    model = write_model(tmp_path / "m.py", forward, "torch.randn(1, 3, 12, 12)", members)
    convert(model, tmp_path)
    for name, *arguments in (
        ("onnx_to_tf", "--input", tmp_path / "model.onnx", "--output", tmp_path / "model.pb", *options),
        ("tf_to_tflite", "--input", tmp_path / "model.pb", "--output", tmp_path / "model.tflite"),
    ):
        done = run_stage(name, *arguments)
        assert done.returncode == 0, done.stderr
    worker = PieceWorker(ModelSource(str(model), "", ""), str(tmp_path), "nhwc" if "nhwc" in options else "nchw")
    found = worker.prove(
        ["tensorflow", "tflite"], random_inputs.draw(0, worker.examples, random_inputs.STANDARD_NORMAL)
    )
    assert all(pieces.right for pieces in found.values()), found
    assert (found["tensorflow"].count == 1) == ("article" in options)
