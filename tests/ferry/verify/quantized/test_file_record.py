"""The record beside a quantized file: whose it is, and which ranges were cut on purpose."""

import hashlib
import json

import pytest

from ferry.verify.quantized import file_record

pytestmark = pytest.mark.fast

HELD = {
    "sha256": hashlib.sha256(b"small").hexdigest(),
    "float_sha256": hashlib.sha256(b"float").hexdigest(),
    "calibration": {"text": "photographs", "sha256": "0", "count": 20},
    "ranges": {
        "a": {"min": 0.0, "max": 6.0, "used_min": 0.0, "used_max": 3.0},
        "b": {"min": -1.0, "max": 1.0, "used_min": -1.004, "used_max": 0.996},
    },
    "in_float": [{"operator": "SOFTMAX", "output": "y", "reason": "SKIP=SOFTMAX"}],
}


def test_ranges_that_are_narrower_than_measured_were_cut_on_purpose(tmp_path):
    path = tmp_path / "model.int8.json"
    path.write_text(json.dumps(HELD))
    record, note = file_record.read(str(path), b"small", b"float")
    assert note is None
    assert record.chosen == {"a": (0.0, 3.0)} and set(record.measured) == {"a", "b"}
    assert record.in_float[0]["reason"] == "SKIP=SOFTMAX"


@pytest.mark.parametrize(
    ("text", "data", "word"),
    [
        (None, (b"small", b"float"), "no record"),
        ("{", (b"small", b"float"), "not heeded"),
        (json.dumps(HELD), (b"other", b"float"), "of another file"),
        (json.dumps(HELD), (b"small", b"other"), "another model.tflite"),
    ],
)
def test_one_that_is_missing_damaged_or_anothers_is_not_heeded(tmp_path, text, data, word):
    path = tmp_path / "model.int8.json"
    if text is not None:
        path.write_text(text)
    record, note = file_record.read(str(path), *data)
    assert record is None and word in note
