"""The matrix's table and what it holds against a cell; the stages are stood in for, and write reports only."""

import json

import pytest

from runners import engines, image, matrix, run_stage, variables, venv
from runners.errors import RunnerError
from runners.stages import Job, Model

pytestmark = pytest.mark.fast

REPORT = {
    "stages": {
        "onnx": {"artifact": {"path": "model.onnx", "bytes": 1, "sha256": "0" * 64}},
        "tflite": {
            "artifact": {"path": "model.tflite", "bytes": 14_000_000, "sha256": "abcdef0123456789"},
            "operators": {"CONV_2D": 35, "MEAN": 1},
            "mean_abs_error": 2.1e-6,
            "outputs": {
                "output_0": {"against_reference": {"relative": {"mean": 1.2e-6}}},
                "output_1": {"against_reference": {"relative": {"mean": 1.1e-6}}},
                "output_2": {"against_reference": None},
            },
        },
    }
}


@pytest.fixture()
def stages(tmp_path, monkeypatch):
    """Every runner answers and every stage passes; ``stages[cell]`` changes a cell's report, or is what it says."""
    changes, ran = {}, []

    def stage(stage, job, runner, output):
        tf = job.values["TF"]
        ran.append((tf, runner, stage.name))
        change = changes.get((tf, runner), {})
        if isinstance(change, str):
            output.write(change.encode())
            return 1
        if stage.name == "verify":
            report = json.loads(json.dumps(REPORT))
            report["stages"]["tflite"].update(change)
            folder = tmp_path / job.folder(stage)
            folder.mkdir(parents=True)
            (folder / "report.json").write_text(json.dumps(report))
        return 0

    monkeypatch.setattr(matrix, "ROOT", tmp_path)
    monkeypatch.setattr(run_stage, "run", stage)
    monkeypatch.setattr(engines, "ask", lambda name: engines.Engine(name, "1", rootless=False))
    monkeypatch.setattr(engines, "at_hand", engines.ask)
    monkeypatch.setattr(image, "ensure", lambda *_: "an image")
    monkeypatch.setattr(venv, "ensure", lambda *_: "a python")
    changes["ran"] = ran
    return changes


def job(samples):
    return Job((Model("m", "models/m.py"),), "build", {**variables.read({}), "SAMPLES": samples})


def run(capsys, tfs=("2.4", "2.2"), runners=()):
    code = matrix.run([job("5")], tfs, runners)
    captured = capsys.readouterr()
    return code, captured.out.splitlines(), captured.err.splitlines()


def test_it_has_a_row_for_each_model_tensorflow_and_runner(stages, capsys):
    code, out, err = run(capsys)
    assert (code, err) == (0, [])
    headings = "model TORCH TF runner verdict mean abs error relative error operators Flex size SHA-256 convert verify"
    assert out[0].split() == headings.split()
    rows = [row.split() for row in out[1:-1]]
    assert [row[1:5] for row in rows] == [
        ["1.5", tf, runner, "passed"] for tf in ("2.4", "2.2") for runner in ("docker", "podman", "venv")
    ]
    assert rows[0][5:12] == ["2.1e-06", "1.2e-06", "36", "no", "14.0", "MB", "abcdef012345"]
    assert len({len(row) for row in out[:-1]}) == 1
    assert out[-1] == "matrix: 6 of 6 passed; the same bytes from docker, podman, venv"
    assert [name for tf, runner, name in stages["ran"] if (tf, runner) == ("2.2", "podman")] == [
        "export_onnx", "onnx_to_tf", "tf_to_tflite", "verify",
    ]  # fmt: skip


def test_other_bytes_from_another_runner_are_a_failure(stages, capsys):
    stages["2.2", "venv"] = {"artifact": {"path": "model.tflite", "bytes": 14_000_000, "sha256": "f" * 64}}
    code, out, err = run(capsys)
    assert code == 2
    assert err == ["matrix: m, TORCH=1.5, TF=2.2: model.tflite is not the same from docker and venv"]
    assert out[-1] == "matrix: 6 of 6 passed; the runners' bytes DIFFER"


def test_each_pytorch_has_rows_and_a_folder_of_its_own(stages, capsys):
    stages["2.4", "venv"] = {"artifact": {"path": "model.tflite", "bytes": 14_000_000, "sha256": "f" * 64}}
    assert matrix.run([job("5")], ["2.4"], ["venv"], ["1.5", "2"]) == 0
    rows = [row.split()[1:5] for row in capsys.readouterr().out.splitlines()[1:-1]]
    assert rows == [["1.5", "2.4", "venv", "passed"], ["2", "2.4", "venv", "passed"]]


def test_a_pytorch_that_a_runner_has_not_is_said_in_its_row(stages, capsys):
    assert matrix.run([job("5")], ["2.4"], ["docker"], ["2"]) == 2
    assert "m, TORCH=2, TF=2.4, docker: TORCH=2 is for RUNNER=venv" in capsys.readouterr().err


def test_other_bytes_from_another_tensorflow_are_not(stages, capsys):
    for runner in ("docker", "podman", "venv"):
        stages["2.2", runner] = {"artifact": {"path": "model.tflite", "bytes": 14_000_000, "sha256": "f" * 64}}
    assert run(capsys)[0] == 0


def test_a_cell_that_fails_is_a_failure_with_its_reason_and_the_others_go_on(stages, capsys):
    stages["2.4", "docker"] = "export_onnx: error: no such layer\nmore\n"
    code, out, err = run(capsys)
    assert code == 2
    assert err == ["matrix: m, TORCH=1.5, TF=2.4, docker: export_onnx: error: no such layer"]
    assert out[1].split()[4:10] == ["FAILED", "-", "-", "-", "-", "-"]
    assert out[-1] == "matrix: 5 of 6 passed; no two runners' bytes differ"


def test_a_file_of_an_earlier_run_does_not_stand_in_for_one_that_failed(stages, capsys):
    assert run(capsys)[0] == 0
    stages["2.4", "docker"] = "error: nothing"
    assert "abcdef012345" not in run(capsys)[1][1]


def test_flex_operators_are_counted(stages, capsys):
    stages["2.4", "venv"] = {"operators": {"ADD": 1, "FlexErf": 2}}
    assert run(capsys, ["2.4"], ["venv"])[1][1].split()[7:9] == ["3", "2"]


def test_a_runner_that_is_not_there_is_said_and_is_no_failure(stages, capsys, monkeypatch):
    monkeypatch.setattr(engines, "ask", lambda name: engines.Silence(name, None))
    code, out, err = run(capsys)
    assert code == 0
    assert [line.split(":")[1] for line in err] == [" docker is left out", " podman is left out"]
    assert len(out) == 4
    assert out[-1] == "matrix: 2 of 2 passed; one runner, venv, so no two runners' bytes were compared"


def test_with_none_there_is_nothing_to_compare(stages, capsys, monkeypatch):
    monkeypatch.setattr(engines, "ask", lambda name: engines.Silence(name, "it is in trouble"))
    with pytest.raises(RunnerError, match="no runner answers"):
        run(capsys, runners=["podman"])
    assert "podman is left out: it is in trouble" in capsys.readouterr().err


def test_an_image_that_cannot_be_built_fails_its_cells(stages, capsys, monkeypatch):
    def fail(*_):
        raise RunnerError("docker could not build the image: no such host")

    monkeypatch.setattr(image, "ensure", fail)
    code, out, err = run(capsys, ["2.2"])
    assert code == 2
    assert err[0] == "matrix: m, TORCH=1.5, TF=2.2, docker: docker could not build the image: no such host"
    assert [row.split()[4] for row in out[1:4]] == ["FAILED", "FAILED", "passed"]


@pytest.mark.parametrize("samples", ["0", "abc", "-1", "1.5", ""])
def test_a_bad_number_of_inputs_is_one_line(stages, samples):
    with pytest.raises(RunnerError, match=f"SAMPLES must be a whole number of 1 or more, not '{samples}'"):
        matrix.run([job(samples)], ["2.4"], [])
