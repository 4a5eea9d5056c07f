#!/usr/bin/env python3
"""Find the first tensor at which a converted model differs from the model it was built from."""

import os
import time

from ferry import stage


def bisect(arguments, console) -> int:
    """Walk the stages in ``arguments.build`` until one differs, and say where."""
    started = time.monotonic()
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    from ferry.bisect import describe
    from ferry.bisect.bisection_worker import BisectionProcess
    from ferry.model.model_source import ModelSource
    from ferry.verify.trial_input import trial_input

    def say(line: str) -> None:
        console.print(f"bisect: {line}", markup=False)

    source = ModelSource(arguments.model, arguments.weights, arguments.input_shape, arguments.torch)
    with BisectionProcess(source, arguments.build, arguments.layout) as process:
        hello = process.hello()
        for name in [arguments.stage] if arguments.stage else hello.stages:
            trial = trial_input(arguments.build, name, hello.examples)
            finding = process.find(name, trial.arrays)
            if finding is not None:
                for line in describe.lines(finding):
                    say(line)
                return 0
            say(f"{name}: on {trial.source} every piece of it computes what it should")
    say(f"no stage differs from what it was built from; {time.monotonic() - started:.1f} s")
    return 0


def main() -> int:
    """Read the arguments and run the program."""
    parser = stage.parser("bisect_model", __doc__)
    parser.add_argument("--model", required=True, metavar="FILE", help="the model file, a TorchScript .pt or an .onnx")
    parser.add_argument("--weights", default="", metavar="FILE.pth", help="a checkpoint to load into the model")
    parser.add_argument("--input-shape", default="", metavar="SHAPES", help="a TorchScript model's, as in 1,3,224,224")
    stage.add_torch(parser)
    parser.add_argument("--build", required=True, metavar="FOLDER", help="where the artifacts are")
    parser.add_argument(
        "--output", default="", metavar="FOLDER", help="where the log goes; unset, beside the artifacts"
    )
    parser.add_argument(
        "--layout", choices=["nchw", "nhwc"], default="nchw", help="what model.pb and model.tflite were built with"
    )
    parser.add_argument("--stage", choices=["onnx", "tensorflow", "tflite"], help="walk this stage alone")
    arguments = parser.parse_args()
    return stage.run("bisect_model", arguments, os.path.join(arguments.output or arguments.build, "log"), bisect)


if __name__ == "__main__":
    stage.leave(main())
