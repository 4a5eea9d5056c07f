import io

import pytest
from rich.console import Console

from ferry.reports import terminal

pytestmark = pytest.mark.fast


def test_the_table_fits_eighty_columns_and_shows_the_articles_figure(verdicts):
    file = io.StringIO()
    Console(file=file, width=80).print(terminal.table(verdicts["failed"]))
    lines = [line.rstrip() for line in file.getvalue().splitlines()]
    assert lines[:2] == [
        "            mean abs error",
        "stage       article: <1e-6  max abs error  times rounding  top-1 agrees  verdict",
    ]
    assert lines[2].split() == ["onnx", "1.8e-06", "1.3e-05", "1.00", "99.9%", "passed"]
    assert lines[3].split() == ["tensorflow", "2.2e-06", "1.5e-05", "1.21", "99.9%", "failed"]
    assert lines[4].split() == ["tflite", "-", "-", "-", "-", "not", "run"]


def test_each_fault_is_a_line_and_the_verdict_is_one(verdicts):
    assert terminal.lines(verdicts["failed"], "report.json") == [
        "verify: tensorflow: output is off by 2e-2 of its scale in the mean",
        "verify: tflite: model.tflite is cut short",
        "verify: tensorflow: the worst input is in w.npz",
        "verify: PyTorch cannot run it in float64",
        "verify: FAILED: 99 inputs against PyTorch in 12.2 s; report.json",
    ]
