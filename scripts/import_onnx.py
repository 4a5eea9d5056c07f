#!/usr/bin/env python3
"""Stage 1 for a model that is ONNX already: check it, and give it static shapes and names that TensorFlow takes."""

import time

from ferry import stage


def take_over(arguments, console) -> int:
    """Write ``arguments.model`` to ``arguments.output`` as the later stages need it; PyTorch has no part in it."""
    started = time.monotonic()
    from ferry import atomic_file
    from ferry.graph import foreign, onnx_file, onnx_pieces
    from ferry.model import files_read

    files_read.watch()

    model, remarks, _files = foreign.load(arguments.model, arguments.input_shape)
    for remark in remarks:
        console.print(f"import_onnx: {remark}", markup=False)
    atomic_file.write_pieces(arguments.output, onnx_pieces.pieces(model))
    detail = f"opset {onnx_file.opset_of(model)}, {len(model.graph.node)} nodes"
    stage.result(console, "import_onnx", arguments.output, detail, started)
    return 0


def main() -> int:
    """Read the arguments and run the stage."""
    parser = stage.parser("import_onnx", __doc__)
    parser.add_argument("--model", required=True, metavar="FILE.onnx", help="the ONNX model, of opset 7 or newer")
    parser.add_argument("--input-shape", default="", metavar="SHAPES", help="for inputs whose shapes are not static")
    parser.add_argument("--output", required=True, metavar="FILE.onnx", help="the ONNX model to write")
    arguments = parser.parse_args()
    return stage.run("import_onnx", arguments, arguments.output, take_over)


if __name__ == "__main__":
    stage.leave(main())
