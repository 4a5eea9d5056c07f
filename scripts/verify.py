#!/usr/bin/env python3
"""Stage 4: run the model in PyTorch and, converted, in ONNX Runtime, TensorFlow and TFLite, and compare the outputs."""

import argparse
import os

from ferry import stage


def verify(arguments, console) -> int:
    """Compare the artifacts in ``arguments.build`` with ``arguments.model``; write all below ``arguments.output``."""
    from ferry.errors import FerryError
    from ferry.model.model_source import ModelSource
    from ferry.reports import files, terminal
    from ferry.runtimes import tensorflow_gpu
    from ferry.verify import worst_input
    from ferry.verify.given_file.given_file import GivenFile
    from ferry.verify.verification import Verification

    output = arguments.output or arguments.build
    source = ModelSource(arguments.model, arguments.weights, arguments.input_shape, arguments.torch)
    verification = Verification(
        source,
        arguments.build,
        output,
        tensorflow_gpu.use(arguments.device, lambda line: console.print(f"verify: {line}", markup=False)),
        samples=arguments.samples,
        layout=arguments.layout,
        inputs=arguments.inputs or None,
        tolerance=arguments.tolerance,
        shown=arguments.shown or output,
        given=GivenFile(arguments.tflite, arguments.newest, arguments.io) if arguments.tflite else None,
        torch_lock=arguments.torch_lock,
    )
    try:
        outcome = verification.measure(console)
    except FerryError as error:
        # An older report that says "passed" must not outlive a check that proved nothing.
        files.write(output, verification.nothing_proved(str(error)))
        raise
    verdict = verification.judge(outcome, os.path.join(arguments.build, files.REPORT))
    if not arguments.tflite:
        verdict = verification.judge_pieces(verdict, outcome, console)
    worst_input.save(output, verdict, outcome)
    console.print(terminal.table(verdict))
    for line in terminal.lines(verdict, os.path.join(output, files.REPORT)):
        console.print(line, markup=False)
    # Before the bisection: whoever ends that, however they do, has the whole verdict.
    files.write(output, verdict)
    located = _located(verification, outcome, source, arguments, output, verdict, console)
    if located is not verdict:
        files.write(output, located)
    return verdict.exit_code


def _located(verification, outcome, source, arguments, output, verdict, console):
    """The verdict with what a bisection of the first stage that failed by its values finds."""
    stage_name = verdict.first_off
    if stage_name is None:
        return verdict
    from ferry.verify import where_it_broke

    if arguments.tflite:
        where = verification.where_the_given_file_differs(outcome)
    else:
        where = where_it_broke.cause(source, arguments.build, output, arguments.layout, stage_name)
    for line in where.lines:
        console.print(f"verify: {line}", markup=False)
    return verdict.located(stage_name, where)


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
    stage.add_torch(parser)
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
        help="the one that model.pb and model.tflite were built with",
    )
    parser.add_argument(
        "--samples", type=stage.count("SAMPLES"), default=1000, metavar="N", help="how many inputs to compare, at most"
    )
    parser.add_argument(
        "--inputs", default="", help="an .npz, an .npy, a folder of images, or normal:MEAN:DEVIATION, uniform:LOW:HIGH"
    )
    parser.add_argument(
        "--tolerance", type=_tolerance, default=None, metavar="SHARE", help="the mean error allowed, over the scale"
    )
    parser.add_argument("--device", choices=["cpu", "gpu"], default="cpu", help="what TensorFlow runs on")
    parser.add_argument(
        "--tflite", default="", metavar="FILE", help="a .tflite of any converter, judged in the place of the artifacts"
    )
    parser.add_argument("--io", default="", help="its layouts where they cannot be found out, as in '0:nhwc 1:nchw'")
    parser.add_argument("--newest", default="", metavar="PYTHON", help="an interpreter with the newest TFLite runtime")
    arguments = parser.parse_args()
    return stage.run("verify", arguments, os.path.join(arguments.output or arguments.build, "report.json"), verify)


if __name__ == "__main__":
    stage.leave(main())
