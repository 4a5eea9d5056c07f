import io

import pytest
from rich.console import Console

from ferry.verify import progress
from ferry.verify.progress import Progress

pytestmark = pytest.mark.fast


@pytest.fixture()
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def printed(terminal, clock, seconds):
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=100, soft_wrap=True)
    with Progress(console, ["pytorch", "tflite"]) as shown:
        shown.begin(100)
        for _ in range(10):
            clock[0] += seconds
            shown.advance("pytorch", 5)
            shown.advance("tflite", 5)
    return file.getvalue()


def test_where_there_is_no_terminal_a_line_now_and_then_says_how_far_it_is(clock):
    lines = printed(False, clock, 10.0).splitlines()
    assert len(lines) == 5
    assert lines[0] == "verify: pytorch 10/100, tflite 5/100; 0.8 inferences/s, about 247 s left"
    assert all("\x1b" not in line for line in lines)


def test_a_short_check_says_nothing_on_the_way(clock):
    assert printed(False, clock, 1.0) == ""


def test_a_terminal_has_a_bar_a_runtime_with_its_rate(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    file = io.StringIO()
    with Progress(Console(file=file, force_terminal=True, width=100), ["pytorch", "tflite"]) as shown:
        shown.begin(100)
        for _ in range(4):
            shown.advance("pytorch", 25)
        shown._bars.refresh()
        text = file.getvalue()
    assert "verify pytorch" in text
    assert "verify tflite" in text
    assert "100/100" in text
    assert "/s" in text
