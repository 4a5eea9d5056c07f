"""What the README and the pages in docs/ tell a newcomer to type is what works, and what they state is so."""

import os
import re
import shutil
import sys

import pytest

from programs import KEPT_OUT, ROOT, run
from runners import image, venv

README = (ROOT / "README.md").read_text()
PAGES = {path.relative_to(ROOT): path.read_text() for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]}
# A paragraph may be broken anywhere.
WHERE_IT_RUNS, VERSIONS = (
    " ".join((ROOT / "docs" / name).read_text().split()) for name in ("where-it-runs.md", "versions.md")
)


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
        done = run(*command.split(), cwd=str(folder), env={"MAKEFLAGS": "-- SAMPLES=50", "RUNNER": "venv"})
        assert done.returncode == 0, done.stdout + done.stderr
    assert (folder / "build" / "mobilenet_v2" / "model.tflite").exists()
    assert "verify: passed: 50 inputs" in done.stdout


def test_ci_runs_the_readmes_test_command():
    assert commands_under("Work on Ferry") == ["make test"]
    assert "\nmake test\n" in (ROOT / ".ci" / "run").read_text()


def test_every_verb_it_names_is_one():
    makefile = (ROOT / "Makefile").read_text()
    verbs = {verb for text in PAGES.values() for verb in re.findall(r"`make (?:-\w+ )?([a-z][\w-]*)", text)}
    assert len(verbs) > 10
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
    assert version in VERSIONS.split("## ")[0]


def test_it_counts_the_locked_packages():
    counts = [
        len(re.findall(r"^[a-z0-9].*==", (ROOT / name).read_text(), re.MULTILINE))
        for name in ("requirements.lock", "requirements/tf2.2.lock")
    ]
    assert f"all {counts[0]} packages" in VERSIONS
    assert f"into the {counts[1]} of `requirements/tf2.2.lock`" in VERSIONS


def test_it_says_what_the_images_and_the_environment_take():
    for made in (image.BY_TENSORFLOW["2.4"], image.GPU):
        assert f"| `{made.dockerfile}` | {made.size}" in WHERE_IT_RUNS
    cost = f"{venv.TF24.download_mb / 1000:.1f} GB to download, {venv.TF24.disk_mb / 1000:.1f} GB on disk"
    assert f"(once: {cost})" in " ".join(README.split())


def test_they_say_what_tensorflow_22_takes():
    takes = f"({venv.TF22.disk_mb / 1000:.1f} GB and {image.BY_TENSORFLOW['2.2'].size} on disk)"
    assert takes in VERSIONS


def test_it_is_short():
    assert len(README.split()) <= 1500


def test_every_link_leads_to_a_file_and_every_page_is_linked():
    linked = set()
    for page, text in PAGES.items():
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
            path = os.path.normpath(page.parent / target)
            assert (ROOT / path).exists(), f"{page} links to {target}"
            linked.add(path)
    assert {str(page) for page in PAGES} - linked == {"README.md"}
