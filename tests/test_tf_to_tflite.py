import pytest
import tensorflow as tf

from programs import run_stage, write_model


def two_ends() -> bytes:
    with tf.Graph().as_default() as graph:
        tf.constant(1.0, name="lonely")
    return graph.as_graph_def().SerializeToString()


def bad_files(mobilenet):
    whole = (mobilenet / "model.pb").read_bytes()
    return {
        "empty": (b"", "holds no TensorFlow graph"),
        "truncated": (whole[: len(whole) // 2], "is not a frozen graph, or is cut short"),
        "foreign": (b"\x7fELF" + bytes(range(256)), "is not a frozen graph, or is cut short"),
        "no inputs": (two_ends(), "holds no TensorFlow graph with inputs and outputs"),
        "unknown operator": (whole.replace(b"\x05Relu6", b"\x05Relu7"), "TensorFlow 2.4.4 refuses the graph"),
    }


@pytest.mark.parametrize("kind", ["empty", "truncated", "foreign", "no inputs", "unknown operator"])
def test_a_bad_file_is_one_clear_message_and_no_target(mobilenet, tmp_path, kind):
    data, message = bad_files(mobilenet)[kind]
    source, target = tmp_path / "bad.pb", tmp_path / "build" / "model.tflite"
    source.write_bytes(data)
    target.parent.mkdir()
    target.write_text("what was there before")
    done = run_stage("tf_to_tflite", "--input", source, "--output", target)
    assert done.returncode == 1
    assert message in done.stderr
    assert "fault in Ferry" not in done.stderr
    assert "Traceback" not in done.stderr
    assert target.read_text() == "what was there before"


@pytest.mark.parametrize(
    ("forward", "outputs"),
    [("x", "output"), ("(x * 2, x * 2)", "output_0, output_1"), ("(x, x + 1)", "output_0, output_1")],
)
def test_an_output_that_is_another_tensor_too_is_refused(tmp_path, forward, outputs):
    model = write_model(tmp_path / "m.py", forward)
    steps = [
        ("export_onnx", "--model", model, "--output", tmp_path / "m.onnx"),
        ("onnx_to_tf", "--input", tmp_path / "m.onnx", "--output", tmp_path / "m.pb"),
    ]
    for name, *arguments in steps:
        assert run_stage(name, *arguments).returncode == 0
    done = run_stage("tf_to_tflite", "--input", tmp_path / "m.pb", "--output", tmp_path / "m.tflite")
    assert done.returncode == 1
    assert f"the outputs {outputs} came out as" in done.stderr
    assert not (tmp_path / "m.tflite").exists()


def test_names_go_through_to_the_tflite_file(mobilenet):
    interpreter = tf.lite.Interpreter(str(mobilenet / "model.tflite"))
    assert [detail["name"] for detail in interpreter.get_input_details()] == ["input"]
    assert [detail["name"] for detail in interpreter.get_output_details()] == ["output"]
