#!/usr/bin/env python3
"""Print what is in ``model.tflite``: inputs, outputs, operators, size, multiply-adds, and what it was built from."""

import os

from ferry import stage


def inspect(arguments, console) -> int:
    """Print what is in ``arguments.build``'s ``model.tflite``, or in its quantized model."""
    from rich import filesize

    from ferry.targets import by_table
    from ferry.tflite import description, flatbuffer
    from ferry.tflite.multiply_adds import multiply_adds

    path = os.path.join(arguments.build, f"model.{arguments.quant}.tflite" if arguments.quant else "model.tflite")
    data = flatbuffer.load(path)

    def say(line: str) -> None:
        console.print(line, markup=False)

    say(f"{path}: {filesize.decimal(len(data))}")
    for kind, entries in description.tensors(data).items():
        for entry in entries:
            say(f"  {kind[:-1]:<9} {entry['name']}: {entry['dtype']} {entry['shape']}")
    counts = flatbuffer.operators(data)
    flex = flatbuffer.flex_operators(counts)
    listed = ", ".join(
        f"{count} {name}" for name, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    )
    say(f"  operators {sum(counts.values())}: {listed}")
    say(f"  tensors   {flatbuffer.tensor_count(data)}")
    say(f"  Flex      {'needed for ' + ', '.join(sorted(flex)) if flex else 'not needed'}")
    say(
        f"  compute   {multiply_adds(data) / 1e6:,.1f} million multiply-adds in convolutions and fully connected layers"
    )
    for answer in by_table.all_targets(data):
        say(f"  {answer.title}: {answer.verdict} by table of {answer.table.date}; {answer.detail}")
    held = description.read(data)
    if held:
        if "quantization" in held:
            say(f"  quantized {held['quantization']}")
        say(f"  built from model.onnx with SHA-256 {held['model_onnx_sha256']}")
        say(f"  built with lock with SHA-256 {held['lock_sha256']}")
        say(f"             {', '.join(f'{name} {version}' for name, version in held['versions'].items())}")
    return 0


def main() -> int:
    """Read the arguments and run the program."""
    parser = stage.parser("inspect_tflite", __doc__)
    parser.add_argument("--build", required=True, metavar="FOLDER", help="where model.tflite is")
    parser.add_argument("--quant", default="", help="which quantized model is meant: float16, dynamic or int8")
    parser.add_argument(
        "--output", default="", metavar="FOLDER", help="where the log goes; unset, beside the artifacts"
    )
    arguments = parser.parse_args()
    return stage.run("inspect_tflite", arguments, os.path.join(arguments.output or arguments.build, "log"), inspect)


if __name__ == "__main__":
    stage.leave(main())
