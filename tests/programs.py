"""Run Ferry's programs as a user does, and write the model files they are given."""

import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Dict, Optional

ROOT = Path(__file__).resolve().parent.parent
# What a copy of the checkout does without.
KEPT_OUT = shutil.ignore_patterns(".git", ".venv", "build", "__pycache__", ".*_cache", ".hypothesis")


def run(*command, env: Optional[dict] = None, **options) -> subprocess.CompletedProcess:
    """Run a command in the checkout and capture what it prints; its exit code is the caller's to judge."""
    variables = {**outside_make(), **(env or {})}
    options.setdefault("cwd", str(ROOT))
    options.setdefault("timeout", 600)
    words = [str(part) for part in command]
    return subprocess.run(words, env=variables, capture_output=True, text=True, check=False, **options)


def outside_make() -> Dict[str, str]:
    """The environment: under `make test` a make of the test's own must not take itself for a part of it."""
    return {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}


def run_stage(
    name: str, *arguments, env: Optional[dict] = None, python: str = sys.executable, **options
) -> subprocess.CompletedProcess:
    """Run the stage program ``name`` with this interpreter, or with another environment's."""
    return run(python, ROOT / "scripts" / f"{name}.py", *arguments, env=env, **options)


def run_python(
    program: str, *arguments, env: Optional[dict] = None, python: str = sys.executable
) -> subprocess.CompletedProcess:
    """Run a piece of Python in a fresh process with the stages' modules importable; it must succeed."""
    setup = f"import sys; sys.path.insert(0, {str(ROOT / 'scripts')!r})\n"
    done = run(python, "-c", setup + textwrap.dedent(program), *arguments, env=env)
    assert done.returncode == 0, done.stderr
    return done


def write_model(path: Path, forward: str, example: str = "torch.randn(1, 3, 8, 8)", members: str = "pass") -> Path:
    """Write a model file whose module builds ``members`` and computes ``forward`` of ``x``."""
    path.write_text(
        textwrap.dedent(
            f"""\
            import torch
            from torch import nn
            from torch.nn import functional as F


            class Model(nn.Module):
                def __init__(self):
                    super().__init__()
                    {members}

                def forward(self, x):
                    return {forward}


            def get_pytorch_model():
                return Model().eval()


            def get_example_input():
                return {example}
            """
        )
    )
    return path


def write_model_outside(folder: Path) -> Path:
    """Write ``far.py``, which imports a module and opens a file beside it, and a checkpoint, ``elsewhere/w.pth``."""
    model = write_model(folder / "far.py", "self.c(x) * LEVEL * helper.LEVEL", members="self.c = nn.Conv2d(3, 2, 1)")
    read = (
        "import os\nimport helper\nLEVEL = float(open(os.path.join(os.path.dirname(__file__), 'level.txt')).read())\n"
    )
    model.write_text(read + model.read_text())
    (folder / "helper.py").write_text("LEVEL = 2.0\n")
    (folder / "level.txt").write_text("3.0")
    (folder / "elsewhere").mkdir()
    weights = "{'module.c.weight': torch.ones(2, 3, 1, 1), 'module.c.bias': torch.zeros(2)}"
    run_python(f"import torch\ntorch.save({{'state_dict': {weights}}}, sys.argv[1])", folder / "elsewhere" / "w.pth")
    return model


def convert(model: Path, build: Path, **options) -> Path:
    """Convert a model file with the three conversion stages into the folder ``build``; each must succeed."""
    steps = [
        ("export_onnx", "--model", model, "--output", build / "model.onnx"),
        ("onnx_to_tf", "--input", build / "model.onnx", "--output", build / "model.pb"),
        ("tf_to_tflite", "--input", build / "model.pb", "--output", build / "model.tflite"),
    ]
    for name, *arguments in steps:
        done = run_stage(name, *arguments, **options)
        assert done.returncode == 0, done.stderr
    return build
