"""make zoo2020 goes on after a model that is refused, and does not verify again what was verified."""

import hashlib
import json

import pytest

from runners import plan, records, run_stage, zoo2020
from runners.stages import Job, Model

pytestmark = pytest.mark.fast


@pytest.fixture()
def started(tmp_path, monkeypatch):
    """Models ``good`` and ``bad``; the export refuses the second. What was started is noted."""
    noted = []
    jobs = [
        Job((Model(name, f"models/zoo2020/{name}.py"),), "build/zoo2020", {"SAMPLES": "3"}) for name in ("good", "bad")
    ]
    monkeypatch.setattr(plan, "jobs", lambda *_arguments, **_named: jobs)
    monkeypatch.setattr(zoo2020, "ROOT", tmp_path)
    monkeypatch.setattr(records, "is_stale", lambda *_arguments: True)

    def run(stage, job, runner, output=None):
        names = [model.name for model in job.models]
        noted.append((stage.name, *names))
        if stage.name == "export_onnx" and names == ["bad"]:
            output.write(b"export_onnx: error: no form for fft (bad.py:3)\n")
            return 1
        if stage.name == "verify":
            folder = tmp_path / job.reads_from
            folder.mkdir(parents=True)
            (folder / "model.tflite").write_bytes(b"a model")
            artifact = {"path": f"{job.reads_from}/model.tflite", "sha256": hashlib.sha256(b"a model").hexdigest()}
            report = {"passed": True, "samples": 3, "stages": {"tflite": {"artifact": artifact}}}
            (folder / "report.json").write_text(json.dumps(report))
        return 0

    monkeypatch.setattr(run_stage, "run", run)
    return noted


def test_a_model_that_is_refused_is_a_line_and_the_next_one_goes_on(started, tmp_path, capsys):
    assert zoo2020.run("venv") == 0
    assert ("tf_to_tflite", "good") in started
    assert ("onnx_to_tf", "bad") not in started
    assert started[-1] == ("zoo2020_table", "good", "bad")
    refused = json.loads((tmp_path / "build" / "zoo2020" / "refused.json").read_text())
    assert refused == {"bad": "export_onnx: error: no form for fft (bad.py:3)"}
    assert "bad: export_onnx: error: no form for fft (bad.py:3)" in capsys.readouterr().out


def test_what_was_verified_is_not_verified_again(started, tmp_path):
    zoo2020.run("venv")
    started.clear()
    zoo2020.run("venv")
    assert ("verify", "good") not in started
    (tmp_path / "build" / "zoo2020" / "good" / "model.tflite").write_bytes(b"another one")
    (tmp_path / "build" / "zoo2020" / "good" / "report.json").rename(tmp_path / "report.json")
    assert zoo2020._was_verified(plan.jobs()[0]) is False


def test_the_zoo_of_today_is_one_of_todays_pytorch():
    assert plan.OF_A_ZOO[zoo2020.TODAY]["TORCH"] == "2"
    found = plan.jobs([], of_variables=True, zoo=zoo2020.TODAY)
    assert len(found) >= 40
    assert {job.values["TORCH"] for job in found} == {"2"}
    assert found[0].build == f"build/{zoo2020.TODAY}"
