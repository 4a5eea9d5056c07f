"""When an image is built, and what its name depends on; the engine is a script that writes down what it is asked."""

import shutil

import pytest

from programs import ROOT
from runners import image
from runners.engines import Engine
from runners.errors import RunnerError

pytestmark = pytest.mark.fast

DOCKER = Engine("docker", "20.10.24", rootless=False)
TF24, TF22 = image.BY_TENSORFLOW["2.4"], image.BY_TENSORFLOW["2.2"]
ENGINE = """#!/bin/sh
echo "$1 $2 $3" >>{folder}/asked
case "$1" in
    info) echo '{{"ServerVersion": "20.10.24"}}' ;;
    image) grep -qsF "$5" {folder}/images ;;
    build) echo "$*" >>{folder}/options; {build} && echo "$5" >>{folder}/images ;;
    rmi) echo "$2" >>{folder}/removed ;;
esac
"""


@pytest.fixture()
def folder(tmp_path, monkeypatch):
    """A checkout with an engine that builds nothing."""
    root = tmp_path / "ferry"
    kept_out = shutil.ignore_patterns(".git", ".venv", "build", "__pycache__", ".*_cache", "tests")
    shutil.copytree(str(ROOT), str(root), ignore=kept_out)
    monkeypatch.setattr(image, "ROOT", root)
    monkeypatch.setattr(image, "ENVIRONMENTS", root / ".venv")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.delenv("BASE_IMAGE", raising=False)
    monkeypatch.delenv("VERBOSE", raising=False)
    engine(tmp_path, "true")
    return tmp_path


def engine(folder, build):
    (folder / "docker").write_text(ENGINE.format(folder=folder, build=build))
    (folder / "docker").chmod(0o755)


def asked(folder, what):
    return [line for line in (folder / "asked").read_text().splitlines() if line.startswith(what)]


def test_it_is_built_once(folder):
    name = image.ensure(DOCKER, TF24)
    assert image.ensure(DOCKER, TF24) == name
    assert len(asked(folder, "build")) == 1


@pytest.mark.parametrize(
    "changed",
    ["Dockerfile.cpu", "requirements.lock", "requirements/uv.lock", "Makefile", "scripts/verify.py",
     "scripts/ferry/lowering/operators/conv.py", "scripts/image/install_packages.sh", "models/mobilenet_v2.py"],
)  # fmt: skip
def test_a_change_of_what_it_is_made_of_makes_another_and_removes_the_last(folder, changed):
    before = image.ensure(DOCKER, TF24)
    path = folder / "ferry" / changed
    path.write_text(path.read_text() + "\n")
    after = image.ensure(DOCKER, TF24)
    assert after != before
    assert len(asked(folder, "build")) == 2
    assert (folder / "removed").read_text().split() == [before]


@pytest.mark.parametrize("changed", ["README.md", "models/another.py", "scripts/__pycache__/x.pyc", "requirements.in"])
def test_a_change_of_anything_else_does_not(folder, changed):
    image.ensure(DOCKER, TF24)
    path = folder / "ferry" / changed
    path.parent.mkdir(exist_ok=True)
    path.write_text("changed")
    image.ensure(DOCKER, TF24)
    assert len(asked(folder, "build")) == 1


def test_each_tensorflow_has_an_image_of_its_own_that_the_other_does_not_replace(folder):
    first, second = image.ensure(DOCKER, TF24), image.ensure(DOCKER, TF22)
    assert first.startswith("ferry:cpu-tf2.4-") and second.startswith("ferry:cpu-tf2.2-")
    assert (image.ensure(DOCKER, TF24), image.ensure(DOCKER, TF22)) == (first, second)
    for line, (lock, tf) in zip(
        (folder / "options").read_text().splitlines(),
        [("requirements.lock", "2.4"), ("requirements/tf2.2.lock", "2.2")],
    ):
        assert {f"--build-arg=LOCK={lock}", f"--build-arg=TF={tf}"} <= set(line.split())
    assert not (folder / "removed").exists()
    image.remove("docker")
    assert (folder / "removed").read_text().split() == [first, second]


def test_a_changed_lock_makes_its_own_image_only_anew(folder):
    before = TF24.name(), TF22.name()
    (folder / "ferry" / "requirements" / "tf2.2.lock").write_text("changed")
    after = TF24.name(), TF22.name()
    assert (before[0] == after[0], before[1] == after[1]) == (True, False)


def test_another_base_makes_another(folder, monkeypatch):
    before = image.ensure(DOCKER, TF24)
    monkeypatch.setenv("BASE_IMAGE", "mirror.example/python:3.8.20-slim-bookworm")
    assert image.ensure(DOCKER, TF24) != before


def test_an_image_that_someone_removed_is_built_again(folder):
    image.ensure(DOCKER, TF24)
    (folder / "images").unlink()
    image.ensure(DOCKER, TF24)
    assert len(asked(folder, "build")) == 2


@pytest.mark.parametrize(
    ("complaint", "reason"),
    [
        ("ERROR: failed to copy: write /x: no space left on device", "no space left on its disk"),
        ("ERROR: BuildKit is enabled but the buildx component is missing or broken.", "docker-buildx"),
        ("#5 ERROR: manifest unknown", "manifest unknown"),
    ],
)
def test_a_build_that_fails_says_why_and_where_the_rest_is(folder, complaint, reason):
    engine(folder, f"(echo step 1; echo '{complaint}' >&2; false)")
    with pytest.raises(RunnerError, match=f"docker could not build the image: .*{reason}.*image-docker-cpu-tf2.4.log"):
        image.ensure(DOCKER, TF24)
    assert "step 1" in (folder / "ferry" / ".venv" / "image-docker-cpu-tf2.4.log").read_text()


def test_the_image_built_last_can_be_removed(folder):
    name = image.ensure(DOCKER, TF24)
    image.remove("docker")
    image.remove("docker")
    assert (folder / "removed").read_text().split() == [name]


def test_with_the_gpu_image_goes_what_the_driver_compiled_for_it(folder):
    name = image.ensure(DOCKER, image.GPU)
    assert name.startswith("ferry:gpu-tf2.4-")
    image.remove("docker")
    assert (folder / "removed").read_text().split() == [name]
    assert asked(folder, "volume") == ["volume rm ferry-cuda-cache"]


def test_without_it_the_volume_is_another_checkouts(folder):
    image.ensure(DOCKER, TF24)
    image.remove("docker")
    assert asked(folder, "volume") == []
