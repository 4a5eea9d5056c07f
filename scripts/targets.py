#!/usr/bin/env python3
"""Print what ``model.tflite`` needs of whatever runs it, and where that is known to be found, by docs/targets/."""

import os

from ferry import stage


def judge(arguments, console) -> int:
    """Print a line for each target, and what holds the file back there."""
    from ferry.targets import by_table
    from ferry.tflite import flatbuffer

    path = os.path.join(arguments.build, f"model.{arguments.quant}.tflite" if arguments.quant else "model.tflite")
    answers = by_table.all_targets(flatbuffer.load(path))
    width = max(len(answer.title) for answer in answers)
    console.print(f"{path} by the tables of {answers[0].table.date}, not by running it:", markup=False)
    for answer in answers:
        console.print(f"  {answer.title:<{width}}  {answer.verdict:<6}  {answer.detail}", markup=False)
        for line in (*answer.held_back, *(f"-> {advice}" for advice in answer.advice)):
            console.print(f"  {'':<{width}}          {line}", markup=False)
    return 0


def main() -> int:
    """Read the arguments and run the program."""
    parser = stage.parser("targets", __doc__)
    parser.add_argument("--build", required=True, metavar="FOLDER", help="where model.tflite is")
    parser.add_argument("--quant", default="", help="which quantized model is meant: float16, dynamic or int8")
    parser.add_argument(
        "--output", default="", metavar="FOLDER", help="where the log goes; unset, beside the artifacts"
    )
    arguments = parser.parse_args()
    return stage.run("targets", arguments, os.path.join(arguments.output or arguments.build, "log"), judge)


if __name__ == "__main__":
    stage.leave(main())
