#!/usr/bin/env python3
"""Stage 1: a PyTorch model file to ``model.onnx``."""
import io
import sys
import time

from ferry import stage

# onnx-tf 1.6.0 is complete up to opset 11; what 12 adds it knows in part.
OPSET = 11


def export(arguments, console) -> int:
    """Export ``arguments.model`` to ``arguments.output``."""
    started = time.monotonic()
    import onnx
    import torch

    from ferry import atomic_file, model_file, tensor_names
    from ferry.errors import UnsupportedModelError

    model = model_file.load(arguments.model)
    if model.was_training:
        console.print("export_onnx: the model was in training mode; it is exported in eval mode", markup=False)
    buffer = io.BytesIO()
    try:
        torch.onnx.export(
            model.module,
            model.example_inputs,
            buffer,
            input_names=tensor_names.input_names(len(model.example_inputs)),
            output_names=tensor_names.output_names(len(model.example_outputs)),
            opset_version=OPSET,
            keep_initializers_as_inputs=False,
        )
    except Exception as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UnsupportedModelError(f"PyTorch 1.5.1 cannot export {arguments.model} to ONNX: {reason}") from error
    data = buffer.getvalue()
    made = onnx.load_model_from_string(data)
    onnx.checker.check_model(made)
    atomic_file.write_bytes(arguments.output, data)
    detail = f"opset {OPSET}, {sum(node.op_type != 'Constant' for node in made.graph.node)} nodes"
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
    sys.exit(main())
