"""Verdicts that are made up, and their reports, checked against the schema; a test may change either."""

import copy
import json
from dataclasses import replace

import jsonschema
import pytest

from ferry.reports import json_report
from ferry.verify.coverage.input_coverage import InputCoverage, OneSided, TableCoverage
from ferry.verify.pieces.stage_pieces import Roundest, StagePieces, WrongPiece
from ferry.verify.verdict import (
    Artifact,
    Cause,
    Cosine,
    Criterion,
    ErrorFigures,
    ErrorHistogram,
    Inputs,
    IntegerInput,
    LatencyFigures,
    Limits,
    MagnitudeBin,
    Measures,
    OutputFigures,
    OutputVerdict,
    PartFigures,
    PartGroup,
    PartPlace,
    Percentiles,
    ReferenceFigures,
    Settings,
    StageVerdict,
    Tensor,
    Three,
    Verdict,
    WorstSample,
)
from programs import ROOT

SCHEMA = json.loads((ROOT / "docs" / "report.schema.json").read_text())


def three(mean):
    return Three(mean, 4 * mean, 9 * mean)


def distance(mean, multiple=None):
    return ErrorFigures(three(mean), three(mean / 2), None if multiple is None else three(multiple), 3)


def measures(mean, multiple=None):
    return Measures(
        finite=True,
        against_reference=distance(mean, multiple),
        against_float32=distance(1.3 * mean),
        unequal_values=990,
        cosine=Cosine(1.0, 1 - 4e-13),
        psnr_db=138.2,
        top1_agreement=0.9995,
        top5_agreement=0.998,
        histogram=ErrorHistogram(-9.0, 0.25, [1, 2, 9, 40, 200, 500, 180, 40], 28),
        by_magnitude=[MagnitudeBin(place / 2, 100, mean, 3 * mean) for place in range(-6, 2)],
    )


def output(mean, fault=None):
    part = PartFigures(
        axis=1,
        length=10,
        groups=2,
        worst_group=PartGroup([7, 8], 1.1 * mean, 1e-3),
        worst=[PartPlace(7, 3 * mean, 1e-6, 1.5)] * 3,
    )
    return OutputVerdict(
        **vars(measures(mean, mean / 1.4e-6)),
        passed=fault is None,
        fault=fault,
        allowed=Limits(three(2.8e-6), three(1.4e-6)),
        over_allowed=mean / 2.8e-6,
        exceeded=["mean", "max"] if fault else [],
        parts=[part],
    )


WRONG = WrongPiece(
    tensor="21",
    node="Conv_7",
    operator="Conv",
    scope="features.3",
    line="net.py:12",
    also=["Relu_8 (Relu)"],
    made_by="CONV_2D, operator 4",
    probe="random values in the range seen",
    share=3e-2,
    excess=4e3,
    reached=False,
)


def latency(median):
    return LatencyFigures(Percentiles(median, 0.9 * median, 1.4 * median), median)


def stage(name, mean):
    return StageVerdict(
        passed=True,
        run=True,
        fault=None,
        artifact=Artifact(f"build/m/model.{name}", 14_000_000, "ab" * 32),
        latency=latency(12.5),
        operators={"CONV_2D": 35, "DEPTHWISE_CONV_2D": 17, "FlexErf": 1} if name == "tflite" else None,
        worst_sample=WorstSample(3, "output", 9 * mean),
        worst_input=None,
        where=None,
        mean_abs_error=1.3 * mean,
        max_abs_error=9 * mean,
        noise_multiple=mean / 1.4e-6,
        top1_agreement=0.9995,
        top5_agreement=0.998,
        lowest_cosine=1 - 4e-13,
        psnr_db=138.2,
        outputs={"output": output(mean)},
    )


PASSED = Verdict(
    model="m",
    passed=True,
    fault=None,
    notes=[],
    samples=99,
    seconds=12.25,
    settings=Settings(99, "nchw", None, None, 2, "cpu"),
    inputs=Inputs(
        "random",
        "drawn at random",
        None,
        None,
        1,
        [IntegerInput("ids", 0, 29999, True)],
        [Tensor("input", [1, 3, 8, 8], "float32")],
    ),
    criterion=Criterion(1e-6, 2.0, 4e-6, 4.0, 25.0, 1e-3),
    reference=ReferenceFigures(
        runtime="pytorch",
        dtype="float64",
        reason=None,
        key="cd" * 32,
        kept=True,
        reused=False,
        remade=0,
        float64_samples=64,
        latency={"float32": latency(20.0), "float64": latency(60.0)},
        outputs={"output": OutputFigures([1, 10], "float32", 1.8, -8.0, 7.0, 2.0)},
    ),
    noise_floor={"output": measures(1.4e-6)},
    stages={"onnx": stage("onnx", 1.4e-6), "tensorflow": stage("pb", 1.7e-6), "tflite": stage("tflite", 1.7e-6)},
    provenance={
        "versions": {"ferry": "0.9.0", "python": "3.8.18", "torch": "1.5.1"},
        "lock": "requirements.lock",
        "lock_sha256": "ef" * 32,
        "platform": "Linux",
        "processor": "a processor",
    },
    coverage=InputCoverage(
        samples=16,
        weights=1000,
        weights_reached=937,
        tables=[TableCoverage("<embedding>.weight", 30000, 412, 99)],
        activations=7,
        one_sided=[OneSided("Clip_3", "Clip", "above", 6.0)],
        channels=64,
        dead=3,
        saturated=1,
    ),
)
WHERE = Cause(
    step="lowering",
    tensor="319",
    node="Conv_0",
    operator="Conv",
    scope="features.0.0",
    line="net.py:9",
    error=0.1,
    lines=["tensorflow breaks: <here>", "first tensor that differs: 319"],
)
FAULT = "output is off by 2e-2 of its scale in the mean"
# One stage failed by its values, and one could not be run.
FAILED = replace(
    PASSED,
    passed=False,
    notes=["PyTorch cannot run it in float64"],
    stages={
        "onnx": PASSED.stages["onnx"],
        "tensorflow": replace(
            PASSED.stages["tensorflow"],
            passed=False,
            fault=FAULT,
            worst_input="w.npz",
            where=WHERE,
            outputs={"output": output(4e-2, FAULT)},
            pieces=StagePieces(12, 11, 1, ["no kernel"], 2e-6, [WRONG], Roundest("21", "Conv", 3e-7), None),
        ),
        "tflite": replace(
            PASSED.stages["tflite"],
            passed=False,
            run=False,
            fault="model.tflite is cut short",
            artifact=Artifact("build/m/model.tflite", None, None),
            latency=LatencyFigures(None, 0.0),
            operators=None,
            worst_sample=None,
            mean_abs_error=None,
            max_abs_error=None,
            noise_multiple=None,
            top1_agreement=None,
            top5_agreement=None,
            lowest_cosine=None,
            psnr_db=None,
            outputs={},
        ),
    },
)
NOTHING = replace(
    PASSED,
    passed=False,
    fault="output is the same for every input",
    samples=0,
    seconds=None,
    inputs=None,
    criterion=None,
    reference=None,
    noise_floor=None,
    stages={},
)
VERDICTS = {"passed": PASSED, "failed": FAILED, "nothing": NOTHING}
REPORTS = {name: json_report.as_plain(verdict) for name, verdict in VERDICTS.items()}
for each in REPORTS.values():
    jsonschema.validate(each, SCHEMA)


@pytest.fixture()
def verdicts():
    return dict(VERDICTS)


@pytest.fixture()
def reports():
    return copy.deepcopy(REPORTS)
