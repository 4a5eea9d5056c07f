"""What an artifact was made with: the versions of the packages that decide its bytes and its figures."""
import platform
from typing import Dict

import pkg_resources

PACKAGES = ("torch", "onnx", "onnx-tf", "onnxruntime", "tensorflow", "numpy")


def versions() -> Dict[str, str]:
    """The version of Python and of each package that the pipeline runs through."""
    found = {name: pkg_resources.get_distribution(name).version for name in PACKAGES}
    return {"python": platform.python_version(), **found}
