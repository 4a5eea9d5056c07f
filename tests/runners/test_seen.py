"""What a stage in a container or a sandbox is shown."""

import os

import pytest

from runners import seen, stages, variables
from runners.errors import RunnerError
from runners.stages import Job, Model

pytestmark = pytest.mark.fast


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setattr(seen, "ROOT", tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(seen, "ANYBODYS", (str(tmp_path / "tmp"),))
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "a.py").touch()
    return tmp_path


def shown(stage, source="models/a.py", **values):
    job = Job((Model("a", source),), "build", {**variables.read({}), **values})
    return seen.paths(stages.BY_NAME[stage], job)


def test_a_stage_is_shown_the_models_folder_and_what_earlier_stages_made_of_it(root):
    folder = root / "build" / "a"
    (folder / "references").mkdir(parents=True)
    for name in (*stages.ARTIFACTS, "report.json", "other"):
        (folder / name).touch()
    assert shown("export_onnx") == ["models"]
    assert shown("onnx_to_tf") == ["build/a/model.onnx"]
    assert shown("tf_to_tflite") == ["build/a/model.pb"]
    made = [f"build/a/{name}" for name in (*stages.ARTIFACTS, "report.json", "references")]
    assert shown("verify") == ["models", *made]


@pytest.mark.parametrize("name", ["images", "images/one.npz", "inputs.npz"])
def test_given_inputs_are_shown_alone(root, name):
    (root / "images").mkdir()
    for file in ("images/one.npz", "inputs.npz", "secret"):
        (root / file).touch()
    assert shown("verify", INPUTS=name) == ["models", name]


@pytest.mark.parametrize("name", ["uniform:0:1", "missing.npz"])
def test_inputs_that_are_no_file_are_the_stages_to_judge(name):
    assert shown("verify", INPUTS=name) == ["models"]


def test_of_inputs_outside_the_checkout_nothing_beside_is_shown():
    assert shown("verify", INPUTS="/etc/passwd") == ["models", "/etc/passwd"]


@pytest.mark.parametrize("folder", ["home", "tmp", ".", "/etc", "/usr/share/models", "/"])
def test_of_a_folder_that_holds_much_else_the_file_alone_is_shown(root, folder, capsys):
    model = os.path.normpath(root / folder / "a.py")
    assert shown("export_onnx", model) == [model]
    assert f"sees {model} alone" in capsys.readouterr().err


def test_a_folder_of_the_home_is_shown_and_the_home_is_not(root):
    model = root / "home" / "project" / "a.py"
    assert shown("export_onnx", str(model)) == [str(model.parent)]


def test_a_model_file_that_is_a_link_out_of_its_folder_is_one_sentence(root):
    (root / "elsewhere").mkdir()
    (root / "elsewhere" / "b.py").touch()
    (root / "models" / "b.py").symlink_to(root / "elsewhere" / "b.py")
    with pytest.raises(RunnerError, match=f"models/b.py is a link to {root}/elsewhere/b.py, .* give the path of"):
        shown("export_onnx", "models/b.py")


def test_a_link_within_the_folder_is_none_to_refuse(root):
    (root / "models" / "b.py").symlink_to("a.py")
    assert shown("export_onnx", "models/b.py") == ["models"]


def test_weights_are_shown_with_their_folder(root):
    (root / "w").mkdir()
    (root / "w" / "w.pth").touch()
    assert shown("export_onnx", WEIGHTS="w/w.pth") == ["models", "w"]
