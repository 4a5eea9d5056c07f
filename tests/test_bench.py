"""The benchmark from its command line to its files, on a model that takes no time."""

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from programs import run_stage, write_model
from runners import venv

pytestmark = pytest.mark.slow

TINY = ("F.relu6(self.c(x))", "torch.randn(1, 8, 8, 8)", "self.c = nn.Conv2d(8, 8, 3, padding=1, groups=8)")
ONCE = ["--rounds", "6", "--conversion-rounds", "1", "--samples", "8"]


@pytest.fixture(scope="module")
def newest():
    """The interpreter that has the newest TFLite runtime and matplotlib."""
    return venv.ensure(venv.BENCH)


@pytest.fixture(scope="module")
def measured(newest, tmp_path_factory):
    """A finished benchmark of the small model: its folder, and what it printed."""
    folder = tmp_path_factory.mktemp("bench")
    model = write_model(folder / "tiny.py", *TINY)
    done = run_stage("bench", "--model", model, "--output", folder / "bench.json", *ONCE, "--newest", newest)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def test_the_document_holds_both_runtimes_on_one_and_on_all_cores(measured):
    document = json.loads((measured[0] / "bench.json").read_text())
    assert (document["schema_version"], document["rounds"], document["conversion_rounds"]) == (1, 6, 1)
    entries = document["models"]["tiny"]["latency"]
    runtimes = sorted({entry["runtime"].split()[0] for entry in entries})
    assert runtimes == ["ai-edge-litert", "tensorflow"]
    assert {entry["threads"] for entry in entries} == {1, document["machine"]["cores"]}
    for entry in entries:
        assert list(entry["ratios"]) == ["nhwc/ferry", "article/ferry"]
        assert entry["faults"] == {}
    assert document["runtimes_left_out"] == {}


def test_the_articles_graph_is_measured_beside_ferrys(measured):
    files = json.loads((measured[0] / "bench.json").read_text())["models"]["tiny"]["files"]
    assert files["ferry"]["operators"]["DEPTHWISE_CONV_2D"] == 1
    assert files["article"]["operators"]["CONV_2D"] == 8
    assert files["ferry"]["operators"]["TRANSPOSE"] == 2
    assert "TRANSPOSE" not in files["nhwc"]["operators"]
    # Both do the same work, in more pieces.
    assert files["ferry"]["multiply_adds"] == files["article"]["multiply_adds"] == 8 * 8 * 8 * 9


def test_converting_is_measured_on_both_paths(measured):
    conversion = json.loads((measured[0] / "bench.json").read_text())["models"]["tiny"]["conversion"]
    for path in ("ferry", "article"):
        for figures in conversion[path]["stages"].values():
            assert figures["seconds"]["median"] > figures["work_seconds"]["median"] > 0
            # Either framework takes more than that, and the whole machine less.
            assert 5e7 < figures["peak_bytes"] < 5e9
        assert conversion[path]["ratio_to_bare"]["median"] > 0


def test_verifying_is_measured_without_and_with_kept_references(measured):
    runs = json.loads((measured[0] / "bench.json").read_text())["models"]["tiny"]["verification"]
    assert list(runs["first"]["inference_seconds"]) == [
        *("pytorch float32", "pytorch float64", "onnx", "tensorflow", "tflite")
    ]
    assert list(runs["again"]["inference_seconds"]) == ["onnx", "tensorflow", "tflite"]
    for figures in runs.values():
        expected = figures["seconds"] / sum(figures["inference_seconds"].values())
        assert figures["ratio_to_inference"] == pytest.approx(expected, rel=1e-3)


def test_it_ends_with_its_tables_and_is_otherwise_quiet(measured):
    lines = measured[1].splitlines()
    assert lines[0].split() == ["tiny", "size", "operators", "multiply-adds"]
    assert lines[-1].endswith(f"{measured[0]}/bench.json and {measured[0]}/bench.svg")
    assert len(lines) < 50


def test_the_chart_is_a_small_picture_with_its_figures_as_text(measured):
    chart = measured[0] / "bench.svg"
    assert chart.stat().st_size < 100_000
    text = " ".join(ElementTree.parse(str(chart)).getroot().itertext())
    assert "ai-edge-litert" in text
    median = json.loads((measured[0] / "bench.json").read_text())["models"]["tiny"]["latency"][0]["ratios"]
    assert f"{median['article/ferry']['median']:.2f}x" in text


def test_without_the_newest_runtime_it_goes_on_with_tensorflows(tmp_path):
    model = write_model(tmp_path / "tiny.py", *TINY)
    (tmp_path / "bench.svg").write_text("of another run")
    done = run_stage("bench", "--model", model, "--output", tmp_path / "bench.json", *ONCE, "--newest", "")
    assert done.returncode == 0, done.stderr
    document = json.loads((tmp_path / "bench.json").read_text())
    assert {entry["runtime"].split()[0] for entry in document["models"]["tiny"]["latency"]} == {"tensorflow"}
    assert "bench: the newest runtime is left out: it has no environment here" in done.stdout
    assert not (tmp_path / "bench.svg").exists()


def test_a_path_that_cannot_carry_the_model_is_said_and_the_others_measured(tmp_path):
    model = write_model(
        tmp_path / "larger.py", "F.interpolate(x, scale_factor=2., mode='bilinear', align_corners=False)"
    )
    done = run_stage("bench", "--model", model, "--output", tmp_path / "bench.json", *ONCE, "--newest", "")
    assert done.returncode == 0, done.stderr
    made = json.loads((tmp_path / "bench.json").read_text())["models"]["larger"]
    assert "onnx-tf alone cannot convert this model" in made["conversion"]["article"]["fault"]
    assert list(made["files"]) == ["ferry", "nhwc"]
    assert "larger: article could not be converted: onnx_to_tf: error: onnx-tf alone" in done.stdout


def test_a_model_that_ferry_cannot_convert_is_an_error_and_leaves_the_old_figures(tmp_path):
    model = write_model(tmp_path / "broken.py", "self.nothing(x)")
    (tmp_path / "bench.json").write_text("of another run")
    done = run_stage("bench", "--model", model, "--output", tmp_path / "bench.json", *ONCE, "--newest", "")
    assert done.returncode == 1
    assert "bench: error: export_onnx: error:" in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "bench.json").read_text() == "of another run"


@pytest.mark.parametrize("rounds", ["0", "-1", "many"])
def test_rounds_that_are_no_count_are_refused(tmp_path, rounds):
    arguments = ["--model", tmp_path / "tiny.py", "--output", tmp_path / "bench.json", "--rounds", rounds]
    done = run_stage("bench", *arguments)
    assert done.returncode == 2
    assert f"ROUNDS must be a whole number of 1 or more, not '{rounds}'" in done.stderr


def test_what_the_newer_python_runs_needs_nothing_of_ferrys(newest):
    for name in ("latency_worker", "chart"):
        source = Path(__file__).resolve().parent.parent / "scripts" / "develop" / "bench" / f"{name}.py"
        command = [str(newest), "-s", "-c", f"import runpy; runpy.run_path({str(source)!r})"]
        assert subprocess.run(command, cwd=sys.prefix).returncode == 0
