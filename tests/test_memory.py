"""How much memory a stage takes, in multiples of the model's weights, beyond what its imports take.

docs/where-it-runs.md states the same in gigabytes, and what TensorFlow takes by itself.
"""

import os
import subprocess
import sys

import pytest

from programs import ROOT

pytestmark = pytest.mark.slow

LAYERS, WIDTH = 6, 2048
WEIGHTS_KB = LAYERS * WIDTH * WIDTH * 4 // 1024
MODEL = f"""\
import torch


def get_pytorch_model():
    torch.manual_seed(0)
    return torch.nn.Sequential(*(torch.nn.Linear({WIDTH}, {WIDTH}) for _ in range({LAYERS}))).eval()


def get_example_input():
    return torch.zeros(1, {WIDTH})
"""
# The program, what it is given and makes, what it imports at least, and the most it may take.
STAGES = {
    "export": ("export_onnx", "--model", "m.py", "model.onnx", "torch.onnx.utils, onnx", 3.2),
    "import": ("import_onnx", "--model", "model.onnx", "imported.onnx", "onnx", 3.2),
    "onnx_to_tf": ("onnx_to_tf", "--input", "model.onnx", "model.pb", "onnx_tf.backend", 2.6),
    "tf_to_tflite": ("tf_to_tflite", "--input", "model.pb", "model.tflite", "tensorflow", 2.6),
}


def peak_kb(*command):
    """The most resident memory that a program took."""
    program = subprocess.Popen([sys.executable, *command], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(program.pid, 0)
    program.returncode = status
    assert status == 0
    return usage.ru_maxrss


def test_each_stage_holds_the_weights_a_stated_number_of_times(tmp_path):
    (tmp_path / "m.py").write_text(MODEL)
    for program, option, given, made, imports, most in STAGES.values():
        stage = [str(ROOT / "scripts" / f"{program}.py"), option, str(tmp_path / given), "--output"]
        taken = peak_kb(*stage, str(tmp_path / made)) - peak_kb("-c", f"import {imports}")
        assert taken < most * WEIGHTS_KB, f"{program}: {taken / WEIGHTS_KB:.1f} times the weights"
