"""Make an ONNX model that somebody else exported into what the later stages take."""

import re
from typing import Dict, List, NamedTuple, Set

import onnx

from ferry.errors import UnsupportedModelError
from ferry.graph import consistency, input_output_names, onnx_file, tensor_names
from ferry.graph.newer_opsets import lower_model
from ferry.graph.schema import OLDEST_OPSET
from ferry.graph.shapes import static_shapes

SHAPE = re.compile(r"^\d+(,\d+)*$")


class Foreign(NamedTuple):
    """A model ready for the later stages; what was changed, a sentence each; and the files that it was read from."""

    model: onnx.ModelProto
    remarks: List[str]
    files: Set[str]


def load(path: str, input_shape: str) -> Foreign:
    """Read the model in ``path`` and make it what the later stages take.

    Args:
        path: an ONNX file of opset 7 or newer, up to the newest that Ferry knows.
        input_shape: shapes for all the inputs, as in ``1,3,224,224 1,10``, or an empty string for the model's own.

    Raises:
        InputFileError: the file cannot be read, or is not a valid ONNX model.
        UnsupportedModelError: its opset is not known, or something in it has no form in opset 12; a shape is not
            static, or is given and does not fit; an input or output is no tensor, or an output does not depend on the
            inputs.
    """
    model, files = onnx_file.parse(path)
    opset = onnx_file.opset_of(model)
    if not OLDEST_OPSET <= opset <= lower_model.NEWEST_OPSET:
        raise UnsupportedModelError(
            f"{path} uses ONNX opset {opset}; Ferry reads {OLDEST_OPSET} to {lower_model.NEWEST_OPSET}"
        )
    graph = model.graph
    fed = [info for info in graph.input if info.name in input_output_names.fed_names(graph)]
    for info in (*fed, *graph.output):
        if not info.type.HasField("tensor_type"):
            raise UnsupportedModelError(f"{info.name!r} is no tensor, and TFLite takes and makes nothing else")
    _set_input_shapes(model, fed, input_shape)
    remarks = lower_model.lower(model)
    onnx_file.check(path, model)
    if input_shape:
        _infer_output_shapes(model)
        remarks.append(f"the inputs have the shapes {input_shape}")
    wanted = [info.name for info in (*fed, *graph.output)]
    used: Dict[str, int] = {}
    # An output that is an input too needs a name of its own.
    names = [tensor_names.unused(name, used) for name in wanted]
    remarks += [
        f"{old!r} is named {new!r}, since TensorFlow takes no other" for old, new in zip(wanted, names) if old != new
    ]
    input_output_names.set_names(model, names[: len(fed)], names[len(fed) :])
    onnx_file.check(path, model)
    consistency.check(path, model)
    return Foreign(model, remarks, {path, *files})


def _set_input_shapes(model: onnx.ModelProto, fed: List[onnx.ValueInfoProto], input_shape: str) -> None:
    given = input_shape.split()
    if given and len(given) != len(fed):
        raise UnsupportedModelError(f"INPUT_SHAPE holds {len(given)} shapes, and the model has {len(fed)} inputs")
    for info, word in zip(fed, given):
        if not SHAPE.match(word):
            raise UnsupportedModelError(
                f"INPUT_SHAPE {word!r} is no shape: it is numbers with commas, as in 1,3,224,224"
            )
        sizes, dims = [int(size) for size in word.split(",")], info.type.tensor_type.shape.dim
        own = [dim.dim_value for dim in dims]
        if len(own) != len(sizes) or any(old and old != new for old, new in zip(own, sizes)):
            raise UnsupportedModelError(f"INPUT_SHAPE {word!r} does not fit {info.name!r}, which is {_shown(info)}")
        for dim, size in zip(dims, sizes):
            dim.dim_value = size
    loose = [f"{info.name!r} {_shown(info)}" for info in fed if not _is_static(info)]
    if loose:
        raise UnsupportedModelError(
            f"the shape of {', '.join(loose)} is not static, as TFLite's are: give it, as in INPUT_SHAPE=1,3,224,224"
        )
    if given:
        # What was inferred from the shapes before is not true any more.
        del model.graph.value_info[:]
        for info in model.graph.output:
            for dim in info.type.tensor_type.shape.dim:
                dim.Clear()


def _infer_output_shapes(model: onnx.ModelProto) -> None:
    shapes = static_shapes(model)
    for info in model.graph.output:
        for dim, size in zip(info.type.tensor_type.shape.dim, shapes.get(info.name, [])):
            dim.dim_value = size


def _is_static(info: onnx.ValueInfoProto) -> bool:
    tensor = info.type.tensor_type
    return tensor.HasField("shape") and all(dim.dim_value > 0 for dim in tensor.shape.dim)


def _shown(info: onnx.ValueInfoProto) -> str:
    dims = info.type.tensor_type.shape.dim
    return "[" + ", ".join(str(dim.dim_value or dim.dim_param or "?") for dim in dims) + "]"
