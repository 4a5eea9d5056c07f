#!/usr/bin/env python3
"""Stage 1: a PyTorch model file, or a TorchScript one, to ``model.onnx``."""

import time

from ferry import stage


def export(arguments, console) -> int:
    """Export ``arguments.model`` to ``arguments.output``, and write beside it what the export has read."""
    started = time.monotonic()
    from ferry import atomic_file
    from ferry.model import files_read

    files_read.watch()
    from ferry.graph import onnx_pieces

    made, remarks = (_by_another_torch if arguments.torch else _by_the_pinned_torch)(arguments)
    for remark in remarks:
        console.print(f"export_onnx: {remark}", markup=False)
    atomic_file.write_pieces(arguments.output, onnx_pieces.pieces(made))
    nodes = sum(node.op_type != "Constant" for node in made.graph.node)
    detail = f"opset {made.opset_import[0].version}, {nodes} nodes"
    stage.result(console, "export_onnx", arguments.output, detail, started)
    return 0


def _by_another_torch(arguments):
    from ferry.export import other_torch
    from ferry.model.model_source import ModelSource

    source = ModelSource(arguments.model, arguments.weights, arguments.input_shape, arguments.torch)
    made = other_torch.export(source)
    if arguments.torch_lock:
        return made
    return made._replace(remarks=[*made.remarks, f"the versions of {arguments.torch} are not locked"])


def _by_the_pinned_torch(arguments):
    import torch

    from ferry.export import pytorch_export
    from ferry.model import model_file

    # What a model file computes, as a calibration, must not depend on the number of processors; and on a busy machine
    # PyTorch's threads wait for one another longer than they save.
    torch.set_num_threads(1)
    pytorch_export.install()
    model = model_file.load(arguments.model, arguments.weights, arguments.input_shape)
    remarks = ["the model was in training mode; it is exported in eval mode"] if model.was_training else []
    remarks += [f"{renaming}, since TensorFlow takes no other" for renaming in model.renamed]
    remarks += model.dropped
    made = pytorch_export.export(model)
    return made._replace(remarks=[*remarks, *made.remarks])


def main() -> int:
    """Read the arguments and run the stage."""
    parser = stage.parser("export_onnx", __doc__)
    parser.add_argument("--model", required=True, metavar="FILE", help="the model file, or a TorchScript .pt")
    parser.add_argument("--weights", default="", metavar="FILE.pth", help="a checkpoint to load into the model")
    parser.add_argument("--input-shape", default="", metavar="SHAPES", help="a TorchScript model's, as in 1,3,224,224")
    stage.add_torch(parser)
    parser.add_argument("--output", required=True, metavar="FILE.onnx", help="the ONNX model to write")
    arguments = parser.parse_args()
    return stage.run("export_onnx", arguments, arguments.output, export)


if __name__ == "__main__":
    stage.leave(main())
