"""An interpreter that cannot run the model is named in one line, and so is one that ends."""

import subprocess
import sys

import pytest

from ferry.errors import ModelFileError, VerificationError
from ferry.torch_process.torch_process import TorchProcess


@pytest.fixture()
def python_that(tmp_path):
    """A program in the place of an interpreter."""

    def make(script):
        path = tmp_path / "python"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return str(path)

    return make


def test_the_pinned_pytorch_is_too_old():
    with TorchProcess(sys.executable) as process, pytest.raises(
        ModelFileError, match=r"PyTorch 1\.5\.1; TORCH= takes 2"
    ):
        process.ask("environment")


def test_one_without_torch_is_told_what_to_install(tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path], check=True)
    python = str(tmp_path / "bin" / "python")
    with TorchProcess(python) as process, pytest.raises(
        ModelFileError, match="cannot import numpy.*-m pip install numpy"
    ):
        process.ask("environment")


def test_one_that_is_no_program_is_named(tmp_path):
    with pytest.raises(ModelFileError, match="cannot run the Python of TORCH=.*nowhere"):
        TorchProcess(str(tmp_path / "nowhere"))


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("exit 3", "ended with exit code 3"),
        ("kill -9 $$", "ended by SIGKILL"),
        ("head -c 99 /dev/zero", "cannot be read"),
    ],
)
def test_one_that_ends_or_says_nonsense_is_an_error(python_that, script, said):
    with TorchProcess(python_that(script)) as process, pytest.raises(VerificationError, match=said):
        process.ask("environment")
