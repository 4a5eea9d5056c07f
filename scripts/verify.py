#!/usr/bin/env python3
"""Stage 4: run the model in PyTorch and, converted, in ONNX Runtime, TensorFlow and TFLite, and compare the outputs."""

import argparse
import os
import time

from ferry import stage

FAILED = 2


def verify(arguments, console) -> int:
    """Compare the artifacts in ``arguments.build`` with ``arguments.model``; write ``report.json`` beside them."""
    started = time.monotonic()
    from rich import progress

    from ferry import atomic_file
    from ferry.errors import VerificationError
    from ferry.runtimes import gpu
    from ferry.runtimes.onnx_runtime import OnnxRuntime
    from ferry.runtimes.pytorch_runtime import PytorchRuntime
    from ferry.runtimes.tensorflow_runtime import TensorflowRuntime
    from ferry.runtimes.tflite_runtime import TfliteRuntime
    from ferry.verification import criterion, noise_floor, report
    from ferry.verification.measure import measure
    from ferry.versions import versions

    artifacts = {
        "onnx": os.path.join(arguments.build, "model.onnx"),
        "tensorflow": os.path.join(arguments.build, "model.pb"),
        "tflite": os.path.join(arguments.build, "model.tflite"),
    }
    target = os.path.join(arguments.build, "report.json")
    name = os.path.splitext(os.path.basename(arguments.model))[0]
    device = gpu.use(arguments.device, lambda line: console.print(f"verify: {line}", markup=False))
    reference = PytorchRuntime(arguments.model)
    noise = noise_floor.relative_noise(reference, reference.example_inputs, arguments.samples)
    bar = progress.Progress(
        progress.TextColumn("verify"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with bar:
        task = bar.add_task("inputs", total=arguments.samples)
        try:
            summary, stages = measure(
                reference,
                {
                    "onnx": lambda: OnnxRuntime(artifacts["onnx"]),
                    "tensorflow": lambda: TensorflowRuntime(artifacts["tensorflow"], device),
                    "tflite": lambda: TfliteRuntime(artifacts["tflite"]),
                },
                reference.example_inputs,
                arguments.samples,
                criterion.tolerances(noise, len(reference.outputs)),
                lambda: bar.advance(task),
                workers=len(os.sched_getaffinity(0)),
            )
        except VerificationError as error:
            # An older report that says "passed" must not outlive a check that proved nothing.
            atomic_file.write_bytes(target, report.as_bytes(report.of_nothing(name, arguments.samples, str(error))))
            raise
    seconds = time.monotonic() - started
    made = report.as_dictionary(
        name,
        arguments.samples,
        seconds,
        summary,
        noise,
        stages,
        artifacts,
        versions(),
    )
    atomic_file.write_bytes(target, report.as_bytes(made))
    console.print(report.as_table(made))
    for name, entry in made["stages"].items():
        if entry["fault"]:
            console.print(f"verify: {name}: {entry['fault']}", markup=False)
    scale = ", ".join(f"{magnitude:.2f}" for magnitude in summary.magnitudes())
    rounding = ", ".join(f"{each:.1e}" for each in noise) if noise else "not measurable"
    console.print(
        f"verify: outputs of mean magnitude {scale}; PyTorch's own float32 rounding is {rounding} of that", markup=False
    )
    verdict = "passed" if made["passed"] else "FAILED"
    console.print(
        f"verify: {verdict}: {arguments.samples} inputs against PyTorch in {seconds:.1f} s; {target}",
        markup=False,
    )
    return 0 if made["passed"] else FAILED


def _count(text: str) -> int:
    try:
        count = int(text)
    except ValueError:
        count = 0
    if count < 1:
        raise argparse.ArgumentTypeError(f"SAMPLES must be a whole number of 1 or more, not {text!r}")
    return count


def main() -> int:
    """Read the arguments and run the stage."""
    parser = stage.parser("verify", __doc__)
    parser.add_argument("--model", required=True, metavar="FILE.py", help="the model file")
    parser.add_argument("--build", required=True, metavar="FOLDER", help="where the artifacts are")
    parser.add_argument("--samples", type=_count, default=1000, metavar="N", help="how many inputs to compare")
    parser.add_argument("--device", choices=["cpu", "gpu"], default="cpu", help="what TensorFlow runs on")
    arguments = parser.parse_args()
    return stage.run("verify", arguments, os.path.join(arguments.build, "report.json"), verify)


if __name__ == "__main__":
    stage.leave(main())
