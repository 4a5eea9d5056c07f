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
        "verify: tensorflow: Conv_7 (Conv) of features.3 at net.py:12, one piece with Relu_8 (Relu), computes "
        "something else: it is off by 3.0e-02 of its scale on random values in the range seen, beyond what float32 "
        "rounds by; the inputs given do not reach it",
        "verify: tensorflow: 1 of 12 pieces could not be judged alone: no kernel",
        "verify: PyTorch cannot run it in float64",
        "verify: coverage of the inputs, on 16 of them: weights reached: 93.7%, 412 of 30,000 rows of "
        "<embedding>.weight read, 1 of 7 activations on one side of a kink throughout (Clip_3 never above 6), of 64 "
        "channels 3 dead and 1 saturated throughout",
        "verify: FAILED: 99 inputs against PyTorch (64 in float64) in 12.2 s; report.json",
    ]
