"""Weights in float16, or in int8 with activations in float: what TensorFlow's converter does of itself.

It knows no operator that is to be left alone, and writes into halves what no half can hold; both are put right here.
"""

from typing import List, NamedTuple

import numpy as np

from ferry.errors import UnsupportedModelError
from ferry.frozen import frozen_graph
from ferry.tflite import flatbuffer, with_outputs
from ferry.tflite.editable import EditableModel, schema
from ferry.tflite.quantize import float_model
from ferry.tflite.quantize.float_model import FloatConstants, InFloat
from ferry.tflite.quantize.skip import Skip

# A half rounds by 2**-11 of a value that it holds as a normal number.
HALF_ERROR = 2.0**-10


class Small(NamedTuple):
    """The model, what of it stays in float although it might have become small, and how many constants did not."""

    data: bytes
    in_float: List[InFloat]
    constants: int


def made(graph_def: frozen_graph.GraphDef, float_data: bytes, weights: str, skip: Skip) -> Small:
    """The model of ``graph_def`` with its weights as ``weights`` says: ``float16`` or ``dynamic``.

    Args:
        graph_def: what ``float_data`` was made from.
        float_data: the float model; it gives the constants that stay as they are.

    Raises:
        UnsupportedModelError: TFLite's converter fails, a pattern of ``skip`` matches nothing, the model has loops
            or no weights to make smaller.
    """
    constants = FloatConstants(float_data)
    batch_matmul = "BATCH_MATMUL" in flatbuffer.operators(float_data)
    data = with_outputs.convert(graph_def, batch_matmul=batch_matmul, weights=weights)
    model = float_model.editable(data)
    in_float = []
    small = 0
    for operator in list(model.operators):
        kind = float_model.kind_of(model, operator)
        if kind == "DEQUANTIZE":
            continue
        names = [model.name(int(tensor)) for tensor in operator.outputs]
        skipped = skip.matches(kind, names)
        for place in range(len(operator.inputs)):
            value = constants.of(names[0], place)
            held = _small(model, int(operator.inputs[place]))
            if value is None or held is None:
                continue
            reason = f"SKIP={','.join(skip.patterns)}" if skipped else _lost(value, held) or _dilated(operator, held)
            if not reason:
                small += 1
                continue
            model.read_instead(operator, place, _with(model, int(operator.inputs[place]), value))
            in_float.append(InFloat(kind, names[0], reason))
    kinds = {float_model.kind_of(model, operator) for operator in model.operators}
    skip.refuse_unused(sorted(kinds - {"DEQUANTIZE"}))
    if not small:
        raise UnsupportedModelError(
            f"there is nothing to keep in {weights}: the model has no weights, or none that are worth it or not skipped"
        )
    model.put_in_order()
    return Small(model.to_bytes(), list(dict.fromkeys(in_float)), small)


def _dilated(operator: schema.OperatorT, held: np.ndarray) -> str:
    """Why a convolution's weights cannot be int8 beside float activations: TF 2.4's kernel takes any dilation for 1."""
    options = operator.builtinOptions
    factors = [getattr(options, name, 1) for name in ("dilationHFactor", "dilationWFactor")]
    if held.dtype == np.int8 and max(factors) > 1:
        return "TensorFlow 2.4's kernel of int8 weights and float activations does not dilate"
    return ""


def _small(model: EditableModel, tensor: int):
    """The constant of another type that ``tensor`` is, or is dequantized from; None where it is none."""
    if tensor < 0:
        return None
    source = model.made_by(tensor, schema.BuiltinOperator.DEQUANTIZE)
    held = model.constant(int(source.inputs[0]) if source is not None else tensor)
    return held if held is not None and held.dtype in (np.float16, np.int8) else None


def _lost(value: np.ndarray, held: np.ndarray) -> str:
    """Why a half cannot hold ``value``, or nothing where ``held`` does."""
    if held.dtype != np.float16:
        return ""
    finite = value[np.isfinite(value)]
    largest = float(np.abs(finite).max()) if finite.size else 0.0
    if largest > np.finfo(np.float16).max:
        return f"float16 holds no {largest:.3g}"
    with np.errstate(invalid="ignore"):
        error = np.abs(held.astype(np.float64) - value)[np.isfinite(value)]
    if error.size and error.max() > HALF_ERROR * largest:
        return f"float16 has few digits for values as small as {largest:.3g}"
    return ""


def _with(model: EditableModel, like: int, value: np.ndarray) -> int:
    # The name is that of the float model's tensor, which TensorFlow has given the small one.
    name = model.name(like)
    name = name[: -len("_dequantize")] if name.endswith("_dequantize") else name
    return model.add_tensor(f"{name}_float", value.shape, like, value)
