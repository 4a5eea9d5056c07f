import json

import pytest
from bench_documents import conversion, latency, of

from develop.bench import document

pytestmark = pytest.mark.fast


def test_ratios_are_of_the_same_round():
    made = document.latency(latency(ferry=[0.01, 0.06, 0.01], keras=[0.02, 0.12, 0.02], article=[0.1, 0.6, 0.1]))
    assert made["ratios"]["ferry/keras"] == {"median": 0.5, "p10": 0.5, "p90": 0.5}
    assert made["ratios"]["article/keras"]["median"] == pytest.approx(5)
    assert made["ratios"]["article/ferry"]["median"] == pytest.approx(10)
    assert made["milliseconds"]["ferry"]["median"] == 10
    assert made["processor_ratios"] == made["ratios"]


def test_what_did_not_run_has_no_ratio():
    made = document.latency(latency(ferry=[0.01, 0.02], article=[0.1, 0.2]))
    assert list(made["ratios"]) == ["article/ferry"]
    made = document.latency(latency(nhwc=[0.01], keras=[0.02]))
    assert list(made["ratios"]) == ["nhwc/keras"]


def test_a_conversion_is_compared_with_the_bare_imports_round_by_round():
    made = document.conversion(conversion(1.5, 2.0, 4.0))
    assert made["ratio_to_bare"]["median"] == 2.0
    assert made["stages"]["export_onnx"]["seconds"]["median"] == 2.0
    assert made["stages"]["onnx_to_tf"]["bare_seconds"]["median"] == 1.0
    assert made["stages"]["tf_to_tflite"]["peak_bytes"] == 4_000_000


def test_the_work_is_that_of_the_two_stages_that_convert():
    assert document.conversion(conversion(1.5))["work_seconds"]["median"] == 1.0


def test_it_is_json_with_its_schemas_version():
    made = json.loads(document.as_bytes(of(latency(ferry=[0.01]))))
    assert made["schema_version"] == document.SCHEMA_VERSION
    assert made["models"]["net"]["files"]["ferry"]["operator_count"] == 70


def test_every_key_is_documented():
    made = json.loads(document.as_bytes(of(latency(ferry=[0.01], keras=[0.01]))))
    model = made["models"]["net"]
    keys = {*model, *model["files"]["ferry"], *model["latency"][0], *model["conversion"]["ferry"]}
    keys |= {*model["conversion"]["ferry"]["stages"]["onnx_to_tf"], "fault"}
    for key in keys:
        assert key in document.__doc__, key
