"""What an artifact was made with: the versions of the packages that decide its bytes and its figures."""

import platform
from importlib import metadata
from typing import Dict

# Ferry's own: the .tflite and the report name it.
FERRY = "0.9.0"
PACKAGES = ("torch", "onnx", "onnx-tf", "onnxruntime", "tensorflow", "numpy")


def versions() -> Dict[str, str]:
    """The version of Ferry, of Python and of each package that the pipeline runs through."""
    found = {name: _version(name) for name in PACKAGES}
    return {"ferry": FERRY, "python": platform.python_version(), **found}


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        # Without its GPU kernels TensorFlow is a package of another name.
        return metadata.version(f"{name}-cpu")
