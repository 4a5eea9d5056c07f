#!/usr/bin/env python3
"""Stage 1: a PyTorch model file to ``model.onnx``."""

import time

from ferry import stage


def export(arguments, console) -> int:
    """Export ``arguments.model`` to ``arguments.output``."""
    started = time.monotonic()
    import torch

    from ferry import atomic_file, model_file, pytorch_export

    # What a model file computes, as a calibration, must not depend on the number of processors; and on a busy machine
    # PyTorch's threads wait for one another longer than they save.
    torch.set_num_threads(1)
    model = model_file.load(arguments.model)
    if model.was_training:
        console.print("export_onnx: the model was in training mode; it is exported in eval mode", markup=False)
    made = pytorch_export.to_onnx(model)
    atomic_file.write_bytes(arguments.output, made.SerializeToString(deterministic=True))
    nodes = sum(node.op_type != "Constant" for node in made.graph.node)
    detail = f"opset {pytorch_export.OPSET}, {nodes} nodes"
    stage.result(console, "export_onnx", arguments.output, detail, started)
    return 0


def main() -> int:
    """Read the arguments and run the stage."""
    parser = stage.parser("export_onnx", __doc__)
    parser.add_argument("--model", required=True, metavar="FILE.py", help="the model file")
    parser.add_argument("--output", required=True, metavar="FILE.onnx", help="the ONNX model to write")
    arguments = parser.parse_args()
    return stage.run("export_onnx", arguments, arguments.output, export)


if __name__ == "__main__":
    stage.leave(main())
