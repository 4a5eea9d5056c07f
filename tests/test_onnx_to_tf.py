import numpy as np
import onnx
import pytest
from onnx import helper

from onnx_models import model_of
from programs import run_stage, write_model


def bad_files(mobilenet):
    whole = (mobilenet / "model.onnx").read_bytes()
    unknown = model_of([helper.make_node("Identity", ["x"], ["y"])], {"x": [1, 2]})
    unknown.graph.node[0].op_type = "NoSuchOperator"
    newer = model_of([helper.make_node("Identity", ["x"], ["y"])], {"x": [1, 2]})
    newer.opset_import[0].version = 15
    wordless = whole.replace(b"kernel_shape", b"kernel_\xffhape", 1)
    return {
        "empty": (b"", "holds no ONNX graph (0 bytes)"),
        "truncated": (whole[: len(whole) // 2], "is not an ONNX model, or is cut short"),
        "foreign": (b"\x7fELF" + bytes(range(256)), "is not an ONNX model, or is cut short"),
        "a frozen graph": ((mobilenet / "model.pb").read_bytes(), "holds no ONNX graph"),
        "a name that is no text": (wordless, "bad.onnx is not a valid ONNX model: "),
        "unknown operator": (unknown.SerializeToString(), "NoSuchOperator"),
        "newer opset": (newer.SerializeToString(), "uses ONNX opset 15"),
    }


KINDS = ["truncated", "unknown operator"]
REST = ["empty", "foreign", "a frozen graph", "a name that is no text", "newer opset"]


@pytest.mark.parametrize("kind", [*KINDS, *(pytest.param(each, marks=pytest.mark.slow) for each in REST)])
def test_a_bad_file_is_one_clear_message_and_no_target(mobilenet, tmp_path, kind):
    data, message = bad_files(mobilenet)[kind]
    source, target = tmp_path / "bad.onnx", tmp_path / "build" / "model.pb"
    source.write_bytes(data)
    done = run_stage("onnx_to_tf", "--input", source, "--output", target)
    assert done.returncode == 1
    assert message in done.stderr
    assert "fault in Ferry" not in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in target.parent.iterdir()] == ["logs"]


def test_a_missing_file_is_said_to_be(tmp_path):
    done = run_stage("onnx_to_tf", "--input", tmp_path / "gone.onnx", "--output", tmp_path / "model.pb")
    assert done.returncode == 1
    assert "gone.onnx: No such file" in done.stderr


def test_an_operator_that_cannot_be_converted_is_named(tmp_path):
    attributes = {"kernel_shape": [2, 2], "dilations": [2, 2]}
    node = helper.make_node("ConvTranspose", ["x", "w"], ["y"], name="features.0", **attributes)
    onnx.save(model_of([node], {"x": [1, 1, 4, 4]}, {"w": np.ones((1, 1, 2, 2), np.float32)}), str(tmp_path / "m.onnx"))
    done = run_stage("onnx_to_tf", "--input", tmp_path / "m.onnx", "--output", tmp_path / "model.pb")
    assert done.returncode == 1
    assert "the ONNX operator ConvTranspose (node 'features.0') cannot be converted" in done.stderr


def test_an_operator_that_cannot_be_converted_is_named_with_the_users_line(tmp_path):
    """Through both programs: the export knows the line, and the next stage says it."""
    source, exported = tmp_path / "net.py", tmp_path / "m.onnx"
    write_model(source, "self.up(x)", "torch.randn(1, 1, 4, 4)", "self.up = nn.ConvTranspose2d(1, 1, 2, dilation=2)")
    assert run_stage("export_onnx", "--model", source, "--output", exported).returncode == 0
    done = run_stage("onnx_to_tf", "--input", exported, "--output", tmp_path / "model.pb")
    assert done.returncode == 1
    assert "the ONNX operator ConvTranspose (node 'ConvTranspose_0', from net.py:12) cannot be" in done.stderr
