"""One line stands for a stage that failed: the one that says why."""

import pytest

from runners import captured, stages
from runners.errors import RunnerError

pytestmark = pytest.mark.fast
STAGE = stages.BY_NAME["export_onnx"]


@pytest.mark.parametrize(
    ("said", "line"),
    [
        (
            "export_onnx: a remark\nexport_onnx: error: no form for fft\nthe details are in x\n",
            "export_onnx: error: no form for fft",
        ),
        ("verify: FAILED: 1 stage\n\n", "verify: FAILED: 1 stage"),
        ("what it said\n", "what it said"),
        ("", "export_onnx ended with 3"),
    ],
)
def test_the_line_that_says_why(said, line):
    assert captured.trouble(STAGE, 3, said) == line


def test_what_goes_to_the_file_is_returned():
    def start(stage, _job, word, output):
        output.write(f"{stage.name} {word}".encode())
        return 0

    assert captured.run(STAGE, None, start, "venv") == (0, "export_onnx venv")


def test_a_runner_that_cannot_run_it_and_an_interruption():
    def fail(*_arguments, **_named):
        raise RunnerError("no engine")

    assert captured.run(STAGE, None, fail) == (1, "ferry: error: no engine\n")
    with pytest.raises(KeyboardInterrupt):
        captured.run(STAGE, None, lambda *_arguments, **_named: captured.INTERRUPTED)
