"""Make an ONNX model that somebody else exported into what the later stages take."""

import re
from typing import List

import onnx

from ferry.errors import UnsupportedModelError
from ferry.graph import input_output_names, tensor_names
from ferry.graph.passes.fold_constants import static_shapes

SHAPE = re.compile(r"^\d+(,\d+)*$")


def prepare(model: onnx.ModelProto, input_shape: str) -> List[str]:
    """Change ``model`` in place, and return what was changed, one sentence each.

    Args:
        model: a checked model.
        input_shape: shapes for all the inputs, as in ``1,3,224,224 1,10``, or an empty string for the model's own.

    Raises:
        UnsupportedModelError: a shape is not static, or is given and does not fit; an input or output is no tensor, or
            an output does not depend on the inputs.
    """
    graph = model.graph
    fed = [info for info in graph.input if info.name in input_output_names.fed_names(graph)]
    for info in (*fed, *graph.output):
        if not info.type.HasField("tensor_type"):
            raise UnsupportedModelError(f"{info.name!r} is no tensor, and TFLite takes and makes nothing else")
    remarks = _set_shapes(model, fed, input_shape)
    wanted = [info.name for info in (*fed, *graph.output)]
    used: set = set()
    # An output that is an input too needs a name of its own.
    names = [tensor_names.unused(name, used) for name in wanted]
    remarks += [
        f"{old!r} is named {new!r}, since TensorFlow takes no other" for old, new in zip(wanted, names) if old != new
    ]
    input_output_names.settle(model, names[: len(fed)], names[len(fed) :])
    onnx.checker.check_model(model)
    return remarks


def _set_shapes(model: onnx.ModelProto, fed: List[onnx.ValueInfoProto], input_shape: str) -> List[str]:
    remarks = []
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
        shapes = static_shapes(model)
        for info in model.graph.output:
            for dim, size in zip(info.type.tensor_type.shape.dim, shapes.get(info.name, [])):
                dim.dim_value = size
        remarks.append(f"the inputs have the shapes {input_shape}")
    return remarks


def _is_static(info: onnx.ValueInfoProto) -> bool:
    tensor = info.type.tensor_type
    return tensor.HasField("shape") and all(dim.dim_value > 0 for dim in tensor.shape.dim)


def _shown(info: onnx.ValueInfoProto) -> str:
    dims = info.type.tensor_type.shape.dim
    return "[" + ", ".join(str(dim.dim_value or dim.dim_param or "?") for dim in dims) + "]"
