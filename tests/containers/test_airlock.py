"""What a model file leaves behind in a container: none of it is run on the host, followed, or published."""

import textwrap

import pytest

from programs import run

pytestmark = pytest.mark.slow

MODEL = """
import glob, os
import torch

HERE = os.path.abspath(glob.glob("build/.work/*")[0])

def get_pytorch_model():
    {deed}
    return torch.nn.ReLU()

def get_example_input():
    return torch.ones(1, 4)
"""
RULES = """
    text = "X := $(shell touch planted)\\nbroken\\\\\\n"
    for name in ("model.onnx.d", ".made/model.onnx.json", "model.pb"):
        os.makedirs(os.path.dirname(os.path.join(HERE, name)), exist_ok=True)
        open(os.path.join(HERE, name), "w").write(text)
"""
LINKS = """
    os.makedirs(HERE + "/logs", exist_ok=True)
    for name in ("logs/onnx_to_tf.log", "report.json", "model.tflite"):
        os.symlink("../../../../victim", os.path.join(HERE, name))
"""
LINKED_LOGS = """
    os.rename(HERE + "/logs", HERE + "/other")
    os.symlink("../../..", HERE + "/logs")
"""


@pytest.fixture()
def victim(checkout):
    path = checkout / "victim"
    path.write_text("precious")
    return path


@pytest.mark.parametrize("deed", [RULES, LINKS, LINKED_LOGS], ids=["rules", "links", "a linked folder"])
def test_what_it_leaves_is_dropped(engine, image, checkout, victim, deed):
    text = textwrap.dedent(MODEL).replace("    {deed}\n", textwrap.indent(textwrap.dedent(deed), "    "))
    (checkout / "models" / "leaves.py").write_text(text)
    for _ in range(2):
        done = run("make", "verify", "MODEL=leaves", "SAMPLES=5", f"RUNNER={engine.name}", cwd=str(checkout))
        assert done.returncode == 0, done.stderr
    made = checkout / "build" / "leaves"
    assert run("make", "-n", "tflite", "MODEL=leaves", cwd=str(checkout)).returncode == 0
    assert not (checkout / "planted").exists()
    assert not (made / "model.onnx.d").exists()
    assert victim.read_text() == "precious"
    assert not [path for path in made.rglob("*") if path.is_symlink()]
    assert list((checkout / "build" / ".work").iterdir()) == []


def test_it_writes_to_the_airlock_alone(engine, image, checkout):
    text = textwrap.dedent(MODEL).format(deed="open('build/leaves/planted', 'w')")
    (checkout / "models" / "leaves.py").write_text(text)
    done = run("make", "onnx", "MODEL=leaves", f"RUNNER={engine.name}", cwd=str(checkout))
    assert done.returncode == 2
    assert "get_pytorch_model() failed at line 8" in done.stderr


def test_a_file_that_it_names_and_was_not_shown_is_not_looked_at(engine, image, checkout, victim):
    deed = "import ferry.model.files_read as read; read._watched.read[os.path.abspath('victim')] = None"
    (checkout / "models" / "leaves.py").write_text(textwrap.dedent(MODEL).format(deed=deed))
    done = run("make", "onnx", "MODEL=leaves", f"RUNNER={engine.name}", cwd=str(checkout))
    assert done.returncode == 0, done.stderr
    assert "victim" not in (checkout / "build" / "leaves" / ".made" / "model.onnx.json").read_text()
