import io

import pytest
from rich.console import Console

from ferry.verify import summary_lines

pytestmark = pytest.mark.fast

STAGE = {
    "passed": True, "fault": None, "mean_abs_error": 2e-6, "max_abs_error": 1e-5, "noise_multiple": 1.234,
    "top1_agreement": 0.9995, "worst_input": None,
}  # fmt: skip
FAILED = {**STAGE, "passed": False, "fault": "output is off [by far]", "noise_multiple": None, "worst_input": "w.npz"}
REPORT = {
    "passed": False, "samples": 7, "seconds": 1.23, "settings": {"samples": 1000},
    "reference": {"dtype": "float32", "reason": "a cast"}, "stages": {"onnx": STAGE, "tflite": FAILED},
}  # fmt: skip


def test_the_table_fits_eighty_columns_and_shows_the_articles_figure():
    file = io.StringIO()
    Console(file=file, width=80).print(summary_lines.table(REPORT))
    lines = [line.rstrip() for line in file.getvalue().splitlines()]
    assert lines[:2] == [
        "        mean abs error",
        "stage   article: <1e-6  max abs error  times rounding  top-1 agrees  verdict",
    ]
    assert lines[2].split() == ["onnx", "2.0e-06", "1.0e-05", "1.23", "99.9%", "passed"]
    assert lines[3].split() == ["tflite", "2.0e-06", "1.0e-05", "-", "99.9%", "failed"]


def test_each_fault_is_a_line_and_the_verdict_is_one():
    assert summary_lines.lines(REPORT, "report.json") == [
        "verify: tflite: output is off [by far]",
        "verify: tflite: the worst input is in w.npz",
        "verify: PyTorch cannot run it in float64, so float32 is the reference: a cast",
        "verify: the inputs given are 7, and all were used",
        "verify: FAILED: 7 inputs against PyTorch in 1.2 s; report.json",
    ]
