"""Export a model by the ONNX exporter of another PyTorch than the pinned one, and take over what it writes."""

import os
import tempfile

from ferry.export.export_result import Exported
from ferry.graph import foreign, input_output_names, onnx_pieces
from ferry.model import files_read
from ferry.model.model_source import ModelSource
from ferry.torch_process import torch_process
from ferry.torch_process.torch_process import TorchProcess


def export(source: ModelSource) -> Exported:
    """The model of ``source`` as ``pytorch_export.export`` returns it, exported by the interpreter ``source.torch``.

    What that PyTorch writes goes the way of any newer ONNX file. What was read there counts as read by this process.

    Raises:
        FerryError: the model file breaks its contract, that PyTorch cannot export it, or it has no form in opset 12.
    """
    with TorchProcess(source.torch) as process, tempfile.TemporaryDirectory(prefix="ferry-") as folder:
        path = os.path.join(folder, "exported.onnx")
        given = {"path": source.path, "weights": source.weights, "input_shape": source.input_shape}
        made = process.ask("export", output=path, **given)
        files_read.also(process.ask("read", given={**given, "exported": path}).said["read"])
        taken = foreign.load(path, "")
    input_output_names.set_names(
        taken.model, torch_process.lines_of(made, "inputs"), torch_process.lines_of(made, "outputs")
    )
    onnx_pieces.check(taken.model)
    return Exported(taken.model, [*torch_process.lines_of(made, "remarks"), *taken.remarks])
