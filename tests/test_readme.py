"""What the README tells a newcomer to type is what works."""

import re
import shutil
import sys

import pytest

from programs import KEPT_OUT, ROOT, run
from runners import image, venv

README = (ROOT / "README.md").read_text()


def commands_under(heading):
    section = re.split(r"^## ", README.split(f"\n## {heading}\n")[1], flags=re.MULTILINE)[0]
    blocks = re.findall(r"^```sh\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def test_the_quick_start_works_as_it_stands(tmp_path):
    folder = tmp_path / "ferry"
    shutil.copytree(str(ROOT), str(folder), ignore=KEPT_OUT)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    commands = commands_under("Quick start")
    assert commands == ["make tflite", "make verify"]
    for command in commands:
        done = run(*command.split(), cwd=str(folder), env={"SAMPLES": "50", "RUNNER": "venv"})
        assert done.returncode == 0, done.stdout + done.stderr
    assert (folder / "build" / "mobilenet_v2" / "model.tflite").exists()
    assert "verify: passed: 50 inputs" in done.stdout


def test_ci_runs_the_readmes_test_command():
    assert commands_under("Work on Ferry") == ["make test"]
    assert "\nmake test\n" in (ROOT / ".ci" / "run").read_text()


def test_every_verb_it_names_is_one():
    makefile = (ROOT / "Makefile").read_text()
    verbs = re.findall(r"`make (?:-\w+ )?([a-z][\w-]*)", README)
    assert len(verbs) > 3
    for verb in verbs:
        assert re.search(rf"^{verb}:", makefile, re.MULTILINE), verb


def test_its_model_file_keeps_the_contract(tmp_path):
    source = re.search(r"```python\n(.*?)```", README, re.DOTALL).group(1)
    (tmp_path / "my_package.py").write_text(
        "import torch\n\n\nclass MyNet(torch.nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.c = torch.nn.Conv2d(3, 4, 3)\n\n    def forward(self, x):\n        return self.c(x)\n"
    )
    (tmp_path / "my_model.py").write_text(source)
    save = "import torch, my_package; torch.save(my_package.MyNet().state_dict(), 'weights.pth')"
    assert run(sys.executable, "-c", save, cwd=str(tmp_path)).returncode == 0
    stage = [sys.executable, ROOT / "scripts" / "export_onnx.py"]
    done = run(*stage, "--model", "my_model.py", "--output", "model.onnx", cwd=str(tmp_path))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements/tf2.2.lock"])
@pytest.mark.parametrize("package", ["torch", "torchvision", "onnx", "onnxruntime", "onnx-tf", "tensorflow-cpu"])
def test_the_versions_it_names_are_the_locked_ones(package, lock):
    version = re.search(rf"^{package}==(\S+)", (ROOT / lock).read_text(), re.MULTILINE).group(1)
    assert version in README.split("## Versions")[1].split("## ")[0]


def test_it_counts_the_locked_packages():
    counts = [
        len(re.findall(r"^[a-z0-9].*==", (ROOT / name).read_text(), re.MULTILINE))
        for name in ("requirements.lock", "requirements/tf2.2.lock")
    ]
    assert f"all {counts[0]} packages" in README
    assert f"into the {counts[1]} of `requirements/tf2.2.lock`" in README


def test_it_says_what_the_images_and_the_environment_take():
    for made in (image.BY_TENSORFLOW["2.4"], image.GPU):
        assert f"| `{made.dockerfile}` | {made.size}" in README
    cost = f"{venv.TF24.download_mb / 1000:.1f} GB to download, {venv.TF24.disk_mb / 1000:.1f} GB on disk"
    assert f"(once: {cost})" in README


def test_it_says_what_tensorflow_22_takes():
    takes = f"({venv.TF22.disk_mb / 1000:.1f} GB and {image.BY_TENSORFLOW['2.2'].size}\non disk)"
    assert takes in README
