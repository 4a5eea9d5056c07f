#!/usr/bin/env python3
"""Prove a quantized model: each operator against an ideal quantizer's, the outputs' cost, and the decisions."""

import argparse
import os

from ferry import stage


def verify(arguments, console) -> int:
    """Hold the quantized file in ``arguments.build`` against ``arguments.model``; write below ``arguments.output``."""
    from ferry.calibration import calibration_inputs
    from ferry.errors import FerryError
    from ferry.model.model_source import ModelSource
    from ferry.reports import quantized_files, quantized_terminal
    from ferry.verify.quantized.quantized_verdict import QuantizedSettings
    from ferry.verify.quantized.quantized_verification import QuantizedVerification

    output = arguments.output or arguments.build
    source = ModelSource(arguments.model, arguments.weights, arguments.input_shape, arguments.torch)
    settings = QuantizedSettings(
        quant=arguments.quant,
        samples=arguments.samples,
        layout=arguments.layout,
        inputs=arguments.inputs or None,
        calibration=arguments.calibration or None,
        accuracy_drop=arguments.accuracy_drop,
    )
    verification = QuantizedVerification(source, arguments.build, output, settings, calibration_inputs.read)
    try:
        verdict = verification.run(console)
    except FerryError as error:
        # An older report that says "passed" must not outlive a check that proved nothing.
        quantized_files.write(output, verification.nothing_proved(str(error)))
        raise
    console.print(quantized_terminal.table(verdict))
    report = os.path.join(arguments.shown or output, quantized_files.report_name(arguments.quant))
    for line in quantized_terminal.lines(verdict, report):
        console.print(line, markup=False)
    quantized_files.write(output, verdict)
    return verdict.exit_code


def _accuracy_drop(text: str):
    if not text:
        return None
    try:
        drop = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        drop = -1.0
    if not 0 <= drop < 1:
        raise argparse.ArgumentTypeError(f"ACCURACY_DROP must be a share such as 1% or 0.01, not {text!r}")
    return drop


def main() -> int:
    """Read the arguments and run the stage."""
    parser = stage.parser("verify_quantized", __doc__)
    parser.add_argument("--model", required=True, metavar="FILE", help="the model file that the float model came from")
    parser.add_argument("--weights", default="", metavar="FILE.pth", help="a checkpoint to load into the model")
    parser.add_argument("--input-shape", default="", metavar="SHAPES", help="a TorchScript model's, as in 1,3,224,224")
    parser.add_argument(
        "--build", required=True, metavar="FOLDER", help="where model.tflite and the quantized file are"
    )
    parser.add_argument("--output", default="", metavar="FOLDER", help="where the report goes; unset, beside them")
    parser.add_argument("--quant", required=True, choices=["float16", "dynamic", "int8"], help="which file is meant")
    parser.add_argument("--layout", choices=["nchw", "nhwc"], default="nchw", help="what the files were built with")
    parser.add_argument(
        "--samples", type=stage.count("SAMPLES"), default=100, metavar="N", help="how many inputs to compare, at most"
    )
    parser.add_argument("--inputs", default="", help="as for verify: a file, a folder of images, or a distribution")
    parser.add_argument("--calibration", default="", help="the inputs that the file was calibrated on, as --inputs")
    parser.add_argument(
        "--accuracy-drop", type=_accuracy_drop, default=None, metavar="SHARE", help="what the decisions may lose"
    )
    stage.add_torch(parser)
    arguments = parser.parse_args()
    report = os.path.join(arguments.output or arguments.build, f"report.{arguments.quant}.json")
    return stage.run("verify_quantized", arguments, report, verify)


if __name__ == "__main__":
    stage.leave(main())
