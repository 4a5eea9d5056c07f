"""What many tests need once."""

import os

# Set before anything imports TensorFlow: the tests' own output is what should be read.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import pytest

from programs import ROOT, convert


@pytest.fixture(scope="session")
def mobilenet(tmp_path_factory):
    """A folder with MobileNetV2's three artifacts, made by the stage programs."""
    return convert(ROOT / "models" / "mobilenet_v2.py", tmp_path_factory.mktemp("mobilenet_v2"))
