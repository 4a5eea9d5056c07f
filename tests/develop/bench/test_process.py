import sys

import pytest

from develop.bench import process
from ferry.errors import BenchError
from programs import run_python

pytestmark = pytest.mark.fast

LARGE = 300_000_000


def test_the_peak_is_the_processs_own(tmp_path):
    # In a process of its own: this one holds TensorFlow, and a child is charged what its parent held.
    program = f"""
        from develop.bench import process
        for each in ("bytearray({LARGE})", "pass"):
            print(process.run([sys.executable, "-c", each], {str(tmp_path / "log")!r}).peak_bytes)
    """
    large, small = map(int, run_python(program).stdout.split())
    assert large > LARGE
    # The largest of all children so far was the other one.
    assert small < LARGE


def test_processor_time_is_measured_apart_from_waiting(tmp_path):
    waited = process.run([sys.executable, "-S", "-c", "import time; time.sleep(0.5)"], str(tmp_path / "log"))
    assert waited.seconds >= 0.5
    assert waited.processor_seconds < waited.seconds


def test_a_failure_is_said_in_the_programs_words(tmp_path):
    program = "import sys; print('chatter'); sys.exit('onnx_to_tf: error: it cannot be converted')"
    with pytest.raises(BenchError, match="^onnx_to_tf: error: it cannot be converted$"):
        process.run([sys.executable, "-c", program], str(tmp_path / "new" / "log"))


def test_a_silent_failure_is_said_with_its_code_and_the_log(tmp_path):
    with pytest.raises(BenchError, match="exit code 3; .*/log holds its output"):
        process.run([sys.executable, "-c", "raise SystemExit(3)"], str(tmp_path / "log"))
