import json
from pathlib import Path

import pytest

from develop.bench import process, verification
from ferry.errors import BenchError

pytestmark = pytest.mark.fast


def report(reused):
    latencies = {"float32": {"seconds": 2.0}, "float64": {"seconds": 4.0}}
    stages = {name: {"latency": {"seconds": 1.0}} for name in ("onnx", "tensorflow", "tflite")}
    return {"reference": {"reused": reused, "latency": latencies}, "stages": stages}


@pytest.fixture()
def verified(monkeypatch, tmp_path):
    """Verify copies of three files; each run leaves the report that the test wants of it."""
    artifacts = tmp_path / "artifacts"
    artifacts.mkdir()
    for name in verification.ARTIFACTS:
        (artifacts / name).write_text(name)
    folder = tmp_path / "verify"
    folder.mkdir()
    (folder / "kept").write_text("references of an earlier run")

    def measure(*reused):
        reports = [report(each) for each in reused]

        def run(command, log):
            assert not (folder / "kept").exists()
            assert command[command.index("--samples") + 1] == "7"
            Path(command[command.index("--build") + 1], "report.json").write_text(json.dumps(reports.pop(0)))
            return process.Finished(9.9, 1.0, 5)

        monkeypatch.setattr(process, "run", run)
        return verification.measure("model.py", str(artifacts), str(folder), 7, lambda: None)

    return measure


def test_the_second_run_is_measured_against_three_runtimes(verified):
    first, again = verified(False, True)
    assert sum(first.inference_seconds.values()) == 9.0
    assert again.inference_seconds == {"onnx": 1.0, "tensorflow": 1.0, "tflite": 1.0}
    assert first.as_dictionary()["ratio_to_inference"] == 1.1
    assert again.as_dictionary()["ratio_to_inference"] == 3.3


@pytest.mark.parametrize(("reused", "why"), [((True,), "first verification found"), ((False, False), "did not find")])
def test_references_that_were_kept_or_not_against_expectation_are_an_error(verified, reused, why):
    with pytest.raises(BenchError, match=why):
        verified(*reused)
