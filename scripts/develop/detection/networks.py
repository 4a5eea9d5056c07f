"""The networks that verification is tried on as a detector: of the examples and the default model."""

import os
import subprocess
import sys
from typing import List

SCRIPTS = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MODELS = os.path.join(os.path.dirname(SCRIPTS), "models")
# In these faults are planted: tables, convolutions, norms, attention, and a network of the usual size.
PLANTED = ("audio_net", "mlp", "norms", "super_resolution", "transformer_tokens", "unet", "mobilenet_v2")


def correct() -> List[str]:
    """The paths of the model files whose conversion is right: the examples, and MobileNetV2."""
    examples = os.path.join(MODELS, "examples")
    files = [os.path.join(examples, name) for name in sorted(os.listdir(examples)) if name.endswith(".py")]
    return [*files, os.path.join(MODELS, "mobilenet_v2.py")]


def name_of(path: str) -> str:
    """The model's name."""
    return os.path.splitext(os.path.basename(path))[0]


def convert(path: str, folder: str) -> None:
    """Make the three artifacts of the model file ``path`` in ``folder``.

    Raises:
        subprocess.CalledProcessError: a stage failed.
    """
    onnx, graph, tflite = (os.path.join(folder, name) for name in ("model.onnx", "model.pb", "model.tflite"))
    _run("export_onnx", "--model", path, "--output", onnx)
    _run("onnx_to_tf", "--input", onnx, "--output", graph)
    _run("tf_to_tflite", "--input", graph, "--output", tflite)


def verify(path: str, build: str, output: str, inputs: str, samples: int) -> int:
    """Verify the artifacts in ``build`` with the ``inputs`` of an .npz; the program's exit code."""
    given = ["--build", build, "--output", output, "--inputs", inputs, "--samples", str(samples)]
    return _program("verify", "--model", path, *given).returncode


def _run(program: str, *arguments: str) -> None:
    _program(program, *arguments).check_returncode()


def _program(program: str, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-s", os.path.join(SCRIPTS, f"{program}.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)
