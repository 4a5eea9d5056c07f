"""A report that is made up, checked against the schema, which a test may change."""

import copy
import json

import jsonschema
import pytest

from programs import ROOT

SCHEMA = json.loads((ROOT / "docs" / "report.schema.json").read_text())


def three(mean):
    return {"mean": mean, "p999": 4 * mean, "max": 9 * mean}


def distance(mean, multiple=None):
    return {
        "absolute": three(mean),
        "relative": three(mean / 2),
        "noise_multiple": None if multiple is None else three(multiple),
        "worst_sample": 3,
    }


def measures(mean, multiple=None):
    return {
        "finite": True,
        "against_reference": distance(mean, multiple),
        "against_float32": distance(1.3 * mean),
        "unequal_values": 990,
        "cosine": {"mean": 1.0, "lowest": 1 - 4e-13},
        "psnr_db": 138.2,
        "top1_agreement": 1.0,
        "top5_agreement": 0.998,
        "histogram": {"log10_from": -9.0, "log10_step": 0.25, "counts": [1, 2, 9, 40, 200, 500, 180, 40], "below": 28},
        "by_magnitude": [
            {"log10_from": place / 2, "count": 100, "mean_abs_error": mean, "max_abs_error": 3 * mean}
            for place in range(-6, 2)
        ],
    }


def output(mean):
    limits = {"absolute": three(2.8e-6), "relative": three(1.4e-6)}
    places = [{"index": 7, "mean_abs_error": 3 * mean, "noise": 1e-6, "mean_magnitude": 1.5}]
    group = {"indices": [7, 8], "mean_abs_error": 1.1 * mean, "allowed": 1e-3}
    part = {"axis": 1, "length": 10, "groups": 2, "worst_group": group, "worst": places * 3}
    return {**measures(mean, mean / 1.4e-6), "allowed": limits, "parts": [part]}


def latency(median):
    return {"milliseconds": {"median": median, "p10": 0.9 * median, "p90": 1.4 * median}, "seconds": median}


def stage(name, mean):
    return {
        "passed": True,
        "fault": None,
        "artifact": {"path": f"build/m/model.{name}", "bytes": 14_000_000, "sha256": "ab" * 32},
        "latency": latency(12.5),
        "operators": {"CONV_2D": 35, "DEPTHWISE_CONV_2D": 17, "FlexErf": 1} if name == "tflite" else None,
        "worst_sample": {"index": 3, "output": "output", "max_abs_error": 9 * mean},
        "worst_input": None,
        "mean_abs_error": 1.3 * mean,
        "max_abs_error": 9 * mean,
        "noise_multiple": mean / 1.4e-6,
        "top1_agreement": 1.0,
        "outputs": {"output": output(mean)},
    }


def made_up():
    summary = {
        "shape": [1, 10],
        "dtype": "float32",
        "mean_magnitude": 1.8,
        "minimum": -8.0,
        "maximum": 7.0,
        "spread": 2.0,
    }
    return {
        "schema_version": 2,
        "model": "m",
        "passed": True,
        "fault": None,
        "samples": 99,
        "seconds": 12.25,
        "settings": {
            "samples": 99, "inputs": None, "tolerance": None, "processors": 2, "device": "cpu", "layout": "nchw",
        },
        "inputs": {
            "kind": "random", "text": "drawn at random", "path": None, "sha256": None, "seed": 1,
            "tensors": [{"name": "input", "shape": [1, 3, 8, 8], "dtype": "float32"}],
        },
        "criterion": {
            "article_threshold": 1e-6, "multiple": 2.0, "threshold_without_float64": 4e-6, "p999_over_mean": 4.0,
            "maximum_over_mean": 25.0, "largest_tolerance": 1e-3,
        },
        "reference": {
            "runtime": "pytorch", "dtype": "float64", "reason": None, "key": "cd" * 32, "kept": True, "reused": False,
            "latency": {"float32": latency(20.0), "float64": latency(60.0)}, "outputs": {"output": summary},
        },
        "noise_floor": {"output": measures(1.4e-6)},
        "stages": {"onnx": stage("onnx", 1.4e-6), "tensorflow": stage("pb", 1.7e-6), "tflite": stage("tflite", 1.7e-6)},
        "provenance": {
            "versions": {"python": "3.8.18", "torch": "1.5.1"}, "lock": "requirements.lock", "lock_sha256": "ef" * 32,
            "platform": "Linux", "processor": "a processor",
        },
    }  # fmt: skip


def failed():
    """The report of a stage that failed by its values, and of one that could not be run."""
    report = made_up()
    broken, absent = report["stages"]["tensorflow"], report["stages"]["tflite"]
    broken.update(
        passed=False, fault="output is off by 2e-2 of its scale in the mean", outputs={"output": output(4e-2)}
    )
    broken["where"] = {
        "step": "lowering", "tensor": "319", "node": "Conv_0", "operator": "Conv", "scope": "features.0.0",
        "error": 0.1, "lines": ["tensorflow breaks: <here>", "first tensor that parts: 319"],
    }  # fmt: skip
    absent.update(passed=False, fault="model.tflite is cut short", outputs={}, operators=None, worst_sample=None)
    absent.update(mean_abs_error=None, max_abs_error=None, noise_multiple=None, top1_agreement=None)
    absent["latency"] = {"milliseconds": None, "seconds": 0.0}
    absent["artifact"].update(bytes=None, sha256=None)
    report["passed"] = False
    return report


def nothing():
    """The report of a check that could not be made."""
    report = made_up()
    report.update(passed=False, fault="output is the same for every input", samples=0, seconds=None, stages={})
    report.update(dict.fromkeys(["inputs", "criterion", "reference", "noise_floor"]))
    return report


REPORTS = {"passed": made_up(), "failed": failed(), "nothing": nothing()}
for each in REPORTS.values():
    jsonschema.validate(each, SCHEMA)


@pytest.fixture()
def reports():
    return copy.deepcopy(REPORTS)
