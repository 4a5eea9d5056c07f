import hashlib

from ferry.versions import FERRY
from programs import run_stage


def test_it_prints_what_is_in_mobilenet(mobilenet):
    done = run_stage("inspect_tflite", "--build", mobilenet)
    assert done.returncode == 0, done.stderr
    assert "input: float32 [1, 3, 224, 224]" in done.stdout
    assert "output: float32 [1, 1000]" in done.stdout
    assert "35 CONV_2D, 17 DEPTHWISE_CONV_2D" in done.stdout
    assert "Flex      not needed" in done.stdout
    assert "300.8 million multiply-adds" in done.stdout
    assert f"ferry {FERRY}" in done.stdout
    assert hashlib.sha256((mobilenet / "model.onnx").read_bytes()).hexdigest() in done.stdout


def test_a_file_that_is_none_is_one_clear_line(tmp_path):
    (tmp_path / "model.tflite").write_bytes(b"....TFL3")
    done = run_stage("inspect_tflite", "--build", tmp_path)
    assert done.returncode == 1
    assert "is cut short or damaged" in done.stderr
    assert "Traceback" not in done.stderr
