"""Where the memory does not suffice, the pieces are not tried, and that is said."""

from types import SimpleNamespace

import pytest

from ferry.verify import piecewise
from ferry.verify.pieces import memory_needed, stage_pieces

pytestmark = pytest.mark.fast

GROUPS = [["onnx"], ["tensorflow", "tflite"]]


@pytest.fixture()
def batches(monkeypatch):
    """The groups of stages that were run at a time."""
    run = []

    def proved(groups, *_):
        run.append(groups)
        return {stage: stage_pieces.none("tried") for stages in groups for stage in stages}

    monkeypatch.setattr(piecewise, "_proved", proved)
    return run


@pytest.mark.parametrize(
    ("free", "expected"), [(None, [GROUPS]), (4e9, [GROUPS]), (2e9, [[GROUPS[0]], [GROUPS[1]]]), (1e9, [])]
)
def test_they_run_side_by_side_or_one_by_one_or_not_at_all(monkeypatch, tmp_path, batches, free, expected):
    (tmp_path / "model.onnx").write_bytes(bytes(10**6))
    monkeypatch.setattr(memory_needed, "available", lambda: free)
    outcome = SimpleNamespace(worst_inputs={stage: [] for stages in GROUPS for stage in stages})
    found = piecewise.prove(None, str(tmp_path), "nchw", outcome)
    assert batches == expected
    assert set(found) == {"onnx", "tensorflow", "tflite"}
    if not expected:
        assert "would take about 1 GB of memory, and 1 GB are free" in found["tflite"].lines("tflite")[0]


def test_a_containers_limit_counts(monkeypatch, tmp_path):
    for name, text in (("meminfo", "MemTotal: 9 kB\nMemAvailable: 4000 kB\n"), ("max", "3000000"), ("used", "1000000")):
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(memory_needed, "MEMINFO", str(tmp_path / "meminfo"))
    monkeypatch.setattr(memory_needed, "LIMITS", [(str(tmp_path / "max"), str(tmp_path / "used"))])
    assert memory_needed.available() == 2000000
    (tmp_path / "max").write_text("max")
    assert memory_needed.available() == 4096000
