"""Converting is timed as whole processes, in turns with bare imports, and without the imports."""

import json
from pathlib import Path

import pytest

from develop.bench import conversion, process
from programs import run_python, write_model

pytestmark = pytest.mark.fast


@pytest.fixture()
def started(monkeypatch):
    """A list of what was run in place of each process: ``(stage, "bare")`` or ``(stage, "stage")``."""
    started = []

    def run(command, log):
        stage = Path(log).stem[len("timed_") :]
        if "-c" in command:
            started.append((stage, "bare"))
            return process.Finished(1.0, 1.0, 10)
        started.append((stage, "stage"))
        Path(command[3]).write_text(json.dumps({"work_seconds": 0.25}))
        return process.Finished(1.5, 1.5, 100 + len(started))

    monkeypatch.setattr(process, "run", run)
    return started


def test_each_stage_takes_turns_with_its_bare_import(started, tmp_path):
    steps = []
    made = conversion.measure("model.py", "ferry", str(tmp_path), rounds=2, warm_ups=1, advance=lambda: steps.append(1))
    assert len(steps) == conversion.steps(2, 1) == 9
    first, second, third = (started[start : start + 6] for start in (0, 6, 12))
    assert first == third == [(stage, kind) for stage in conversion.FRAMEWORKS for kind in ("bare", "stage")]
    assert second == [(stage, kind) for stage in conversion.FRAMEWORKS for kind in ("stage", "bare")]
    assert {stage: len(runs) for stage, runs in made.items()} == dict.fromkeys(conversion.FRAMEWORKS, 2)
    run = made["onnx_to_tf"][-1]
    assert (run.seconds, run.work_seconds, run.bare_seconds, run.peak_bytes) == (1.5, 0.25, 1.0, 116)


def test_a_bare_import_imports_the_stages_framework(monkeypatch, tmp_path):
    commands = []

    def run(command, log):
        commands.append(command)
        (tmp_path / "timed.json").write_text('{"work_seconds": 1}')
        return process.Finished(1, 1, 1)

    monkeypatch.setattr(process, "run", run)
    conversion.measure("model.py", "article", str(tmp_path), rounds=1, warm_ups=0, advance=lambda: None)
    bare = [command[-1] for command in commands if "-c" in command]
    assert [program.split(";")[0] for program in bare] == [
        "import os, torch",
        "import os, tensorflow",
        "import os, tensorflow",
    ]
    (building,) = [command for command in commands if "onnx_to_tf" in command]
    assert building[building.index("--graph") + 1] == "article"


def test_what_is_timed_as_work_imports_no_package_any_more(tmp_path):
    model = write_model(tmp_path / "model.py", "F.relu(self.c(x))", members="self.c = nn.Conv2d(3, 4, 3)")
    program = f"""
        import json, sys
        from develop.bench import timed_stage
        run_path, late = timed_stage.runpy.run_path, {{}}
        def watched(path):
            stage = run_path(path)
            def main():
                before = set(sys.modules)
                code = stage["main"]()
                new = {{name.split(".")[0] for name in set(sys.modules) - before}}
                late[path] = sorted(new - {{name.split(".")[0] for name in before}} - {{"ferry_user_model"}})
                return code
            return {{"main": main}}
        timed_stage.runpy.run_path = watched
        sys.argv = ["timed_stage.py", {str(tmp_path / "result.json")!r}, *sys.argv[1:]]
        assert timed_stage.main() == 0
        with open({str(tmp_path / "late.json")!r}, "w") as file:
            json.dump(list(late.values()), file)
    """
    for stage in conversion.FRAMEWORKS:
        run_python(program, stage, *conversion._arguments(stage, str(model), "ferry", str(tmp_path)))
        (late,) = json.loads((tmp_path / "late.json").read_text())
        assert late == [], stage
        assert json.loads((tmp_path / "result.json").read_text())["work_seconds"] > 0
    assert (tmp_path / "model.tflite").exists()


def test_a_stage_that_fails_is_said_in_its_own_words(tmp_path):
    model = write_model(tmp_path / "model.py", "self.nothing(x)")
    with pytest.raises(conversion.process.BenchError, match="export_onnx: error: .*forward.*failed"):
        conversion.measure(str(model), "ferry", str(tmp_path), rounds=1, warm_ups=0, advance=lambda: None)
