"""What many tests need once."""

import os
import sys

# Set before anything imports TensorFlow: the tests' own output is what should be read.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import pytest

import side_by_side
from programs import ROOT, convert
from runners import venv


def pytest_runtestloop(session):
    """Under side_by_side.py the modules are shared out among processes; else pytest's own loop runs them all."""
    claims = os.environ.get(side_by_side.CLAIMS)
    if not claims or session.config.option.collectonly or session.testsfailed:
        return None
    side_by_side.run_unclaimed(session, claims)
    return True


@pytest.fixture(autouse=True)
def no_test_finds_anothers_modules():
    """A model file's folder is searched for modules as long as its process lives: here, no longer than its test."""
    searched = list(sys.path)
    yield
    sys.path[:] = searched


@pytest.fixture(scope="session")
def mobilenet(tmp_path_factory):
    """A folder with MobileNetV2's three artifacts, made by the stage programs."""
    return convert(ROOT / "models" / "mobilenet_v2.py", tmp_path_factory.mktemp("mobilenet_v2"))


@pytest.fixture(scope="session")
def tensorflow22():
    """The interpreter of the environment that TF=2.2 runs in, made if there is none."""
    return str(venv.ensure(venv.TF22))


@pytest.fixture(scope="session")
def mobilenet22(tensorflow22, tmp_path_factory):
    """A folder with what TF=2.2 makes of MobileNetV2."""
    folder = tmp_path_factory.mktemp("mobilenet_v2_tf2.2")
    return convert(ROOT / "models" / "mobilenet_v2.py", folder, python=tensorflow22)
