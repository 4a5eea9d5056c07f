import pytest
import tensorflow as tf

from ferry.tflite import flatbuffer
from programs import convert, run_stage, write_model


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


@pytest.mark.parametrize(
    "kind",
    [
        "truncated",
        "no inputs",
        *(pytest.param(each, marks=pytest.mark.slow) for each in ("empty", "foreign", "unknown operator")),
    ],
)
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
    "forward",
    [
        pytest.param("x", marks=pytest.mark.slow),
        pytest.param("(x * 2, x * 2)", marks=pytest.mark.slow),
        "(x > 0, x > 0, x, x + 1)",
        pytest.param("(x.int(), x.int(), x, x)", marks=pytest.mark.slow),
    ],
)
def test_an_output_that_is_another_tensor_too_has_its_own_name_and_value(tmp_path, forward):
    build = convert(write_model(tmp_path / "m.py", forward), tmp_path / "build")
    done = run_stage("verify", "--model", tmp_path / "m.py", "--build", build, "--samples", 5)
    assert done.returncode == 0, done.stdout + done.stderr
    made = flatbuffer.interface((build / "model.tflite").read_bytes())[1]
    count = forward.count(",") + 1
    assert made == (["output"] if count == 1 else [f"output_{position}" for position in range(count)])


def test_names_go_through_to_the_tflite_file(mobilenet):
    interpreter = tf.lite.Interpreter(str(mobilenet / "model.tflite"))
    assert [detail["name"] for detail in interpreter.get_input_details()] == ["input"]
    assert [detail["name"] for detail in interpreter.get_output_details()] == ["output"]
