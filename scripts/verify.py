#!/usr/bin/env python3
"""Stage 4: run the model in PyTorch and, converted, in ONNX Runtime, TensorFlow and TFLite, and compare the outputs."""

import argparse
import os
import time
from typing import List

from ferry import stage

FAILED = 2


def verify(arguments, console) -> int:
    """Compare the artifacts in ``arguments.build`` with ``arguments.model``; write all below ``output``."""
    started = time.monotonic()
    from ferry import atomic_file, provenance
    from ferry.errors import FerryError, VerificationError
    from ferry.model.model_source import ModelSource
    from ferry.reports import files
    from ferry.runtimes import tensorflow_gpu
    from ferry.verify import measure, report, summary_lines, worst_input
    from ferry.verify.progress import Progress

    artifacts = {
        "onnx": os.path.join(arguments.build, "model.onnx"),
        "tensorflow": os.path.join(arguments.build, "model.pb"),
        "tflite": os.path.join(arguments.build, "model.tflite"),
    }
    output = arguments.output or arguments.build
    os.makedirs(output, exist_ok=True)
    target = os.path.join(output, "report.json")
    name = os.path.splitext(os.path.basename(arguments.model))[0]
    device = tensorflow_gpu.use(arguments.device, lambda line: console.print(f"verify: {line}", markup=False))
    processors = len(os.sched_getaffinity(0))
    settings = {
        "samples": arguments.samples,
        "layout": arguments.layout,
        "inputs": arguments.inputs or None,
        "tolerance": arguments.tolerance,
        "processors": processors,
        "device": device.name if device else "cpu",
    }
    made_with = provenance.provenance()
    job = measure.Job(
        model=ModelSource(arguments.model, arguments.weights, arguments.input_shape),
        artifacts=artifacts,
        options={"tensorflow": {"on": device, "layout": arguments.layout}, "tflite": {"layout": arguments.layout}},
        output=output,
        samples=arguments.samples,
        given=arguments.inputs,
        tolerance=arguments.tolerance,
        key={"lock": made_with["lock_sha256"]},
        processors=processors,
    )
    before = {stage_name: report.artifact(path) for stage_name, path in artifacts.items()}
    try:
        with Progress(console, [measure.REFERENCE, *artifacts]) as progress:
            outcome = measure.Measurement(job, progress.begin, progress.advance).run()
        for stage_name, path in artifacts.items():
            if report.artifact(path) != before[stage_name]:
                raise VerificationError(f"{path} was replaced while it was being checked; run the check again")
    except FerryError as error:
        # An older report that says "passed" must not outlive a check that proved nothing.
        nothing = report.of_nothing(name, settings, str(error), made_with)
        atomic_file.write_bytes(target, report.as_bytes(nothing))
        files.write(output, nothing)
        raise
    made = report.as_dictionary(name, settings, time.monotonic() - started, outcome, before, made_with)
    for stage_name in report.replaced_since(os.path.join(arguments.build, "report.json"), made):
        file = os.path.basename(artifacts[stage_name])
        console.print(f"verify: {stage_name}: {file} is not the file that was checked last", markup=False)
    worst_input.save(output, made, outcome)
    atomic_file.write_bytes(target, report.as_bytes(made))
    files.write(output, made)
    console.print(summary_lines.table(made))
    if arguments.model.endswith(".onnx"):
        console.print(
            "verify: the model came as ONNX: what is called PyTorch here is ONNX Runtime, and in float64 Ferry's own "
            "evaluator",
            markup=False,
        )
    for line in summary_lines.lines(made, target):
        console.print(line, markup=False)
    # Only now: who is content with the verdict may interrupt what follows.
    where = _where_it_broke(arguments, output, made)
    for line in where:
        console.print(f"verify: {line}", markup=False)
    if where:
        atomic_file.write_bytes(target, report.as_bytes(made))
        files.write(output, made)
    return 0 if made["passed"] else FAILED


def _where_it_broke(arguments, output, made) -> List[str]:
    """What a bisection of the first stage that failed by its values finds, noted in the report too."""
    failed = [name for name, entry in made["stages"].items() if not entry["passed"] and entry["worst_sample"]]
    if not failed:
        return []
    from ferry.bisect import explain
    from ferry.model.model_source import ModelSource

    source = ModelSource(arguments.model, arguments.weights, arguments.input_shape)
    lines, where = explain.explain(source, arguments.build, output, arguments.layout, failed[0])
    made["stages"][failed[0]]["where"] = where
    return lines


def _count(text: str) -> int:
    try:
        count = int(text)
    except ValueError:
        count = 0
    if count < 1:
        raise argparse.ArgumentTypeError(f"SAMPLES must be a whole number of 1 or more, not {text!r}")
    return count


def _tolerance(text: str):
    if not text:
        return None
    try:
        tolerance = float(text)
    except ValueError:
        tolerance = 0.0
    if not 0 < tolerance < 1:
        raise argparse.ArgumentTypeError(f"TOLERANCE must be a number above 0 and below 1, such as 1e-5, not {text!r}")
    return tolerance


def main() -> int:
    """Read the arguments and run the stage."""
    parser = stage.parser("verify", __doc__)
    parser.add_argument(
        "--model", required=True, metavar="FILE", help="the model file, or a TorchScript .pt or an .onnx"
    )
    parser.add_argument("--weights", default="", metavar="FILE.pth", help="a checkpoint to load into the model")
    parser.add_argument("--input-shape", default="", metavar="SHAPES", help="a TorchScript model's, as in 1,3,224,224")
    parser.add_argument("--build", required=True, metavar="FOLDER", help="where the artifacts are")
    parser.add_argument(
        "--output",
        default="",
        metavar="FOLDER",
        help="where all that is written goes; where the artifacts are if empty",
    )
    parser.add_argument(
        "--layout",
        choices=["nchw", "nhwc"],
        default="nchw",
        help="the one that model.pb and model.tflite were made with",
    )
    parser.add_argument("--samples", type=_count, default=1000, metavar="N", help="how many inputs to compare, at most")
    parser.add_argument(
        "--inputs", default="", help="an .npz, an .npy, a folder of images, or normal:MEAN:DEVIATION, uniform:LOW:HIGH"
    )
    parser.add_argument(
        "--tolerance", type=_tolerance, default=None, metavar="SHARE", help="the mean error allowed, over the scale"
    )
    parser.add_argument("--device", choices=["cpu", "gpu"], default="cpu", help="what TensorFlow runs on")
    arguments = parser.parse_args()
    return stage.run("verify", arguments, os.path.join(arguments.output or arguments.build, "report.json"), verify)


if __name__ == "__main__":
    stage.leave(main())
