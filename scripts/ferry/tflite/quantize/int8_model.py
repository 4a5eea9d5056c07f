"""A model whose operators compute in int8, made from the float one and inputs that it is calibrated on."""

from typing import Dict, List, NamedTuple

from tensorflow.lite.python import convert as tf_convert

from ferry.errors import UnsupportedModelError, first_line
from ferry.tflite import flatbuffer
from ferry.tflite.editable import EditableModel
from ferry.tflite.quantize import (
    bias_correction,
    float_model,
    float_operators,
    float_run,
    keep_float,
    range_search,
    ready,
    transpose_conv_steps,
)
from ferry.tflite.quantize.float_model import FloatConstants, InFloat
from ferry.tflite.quantize.float_run import Range, Samples, Seen
from ferry.tflite.quantize.skip import Skip

# TensorFlow's quantizer ends its process on these.
_FUSED = {"LSTM", "UNIDIRECTIONAL_SEQUENCE_LSTM", "UNIDIRECTIONAL_SEQUENCE_RNN"}


class Int8(NamedTuple):
    """The model, what of it stays in float, and the ranges of the float model's tensors, measured and used, by name."""

    data: bytes
    in_float: List[InFloat]
    ranges: Dict[str, Dict[str, float]]
    operators: int


def made(float_data: bytes, samples: Samples, skip: Skip, integer_io: bool) -> Int8:
    """Quantize the float model ``float_data``.

    Args:
        samples: gives the calibration inputs anew each time, one array an input of the file.
        skip: the operators that stay in float.
        integer_io: the inputs and outputs are int8, and not float32.

    Raises:
        UnsupportedModelError: nothing in it has an int8 form, it has a fused recurrent layer, a pattern of ``skip``
            matches nothing, or TensorFlow's quantizer fails.
    """
    fused = _FUSED & set(flatbuffer.operators(float_data))
    if fused:
        raise UnsupportedModelError(
            f"QUANT=int8 cannot quantize around {', '.join(sorted(fused))}: RECURRENT=unrolled has it as many "
            "operators, which stay in float with int8 weights; or QUANT=dynamic"
        )
    floating = float_model.editable(float_data)
    ready.constants_of_their_own(floating)
    data = ready.finite_pads(floating.to_bytes(), samples)
    seen = float_run.observe(data, samples())
    reasons = float_operators.choose(EditableModel(data), seen, skip)
    used = range_search.cut_ranges(data, _measured(seen), samples, set(reasons))
    final = EditableModel(data)
    corrected = EditableModel(data)
    bias_correction.correct(corrected, seen, set(reasons))
    quantized = float_model.editable(_quantized(_with_ranges(corrected, used), integer_io))
    transpose_conv_steps.give_each_channel_its_own(quantized, final)
    hybrid = float_operators.hybrid(final, reasons)
    in_float = keep_float.keep(quantized, final, FloatConstants(float_data), reasons, hybrid)
    quantized.put_in_order()
    made_data = quantized.to_bytes()
    count = _integer_operators(EditableModel(made_data))
    if not count:
        raise UnsupportedModelError(
            "there is nothing to quantize: no operator of the model is left that has weights and an int8 form"
        )
    return Int8(made_data, in_float, _by_name(final, seen, used), count)


def _measured(seen: Seen) -> Dict[int, Range]:
    """The ranges that were seen: 0 is in each, and a tensor that is always 0 has one too."""
    used = {tensor: Range(min(found.low, 0.0), max(found.high, 0.0)) for tensor, found in seen.ranges.items()}
    return {tensor: found if found.low < found.high else Range(0.0, 1.0) for tensor, found in used.items()}


def _with_ranges(model: EditableModel, ranges: Dict[int, Range]) -> bytes:
    for tensor, found in ranges.items():
        model.set_range(tensor, found.low, found.high)
    return model.to_bytes()


def _quantized(data: bytes, integer_io: bool) -> bytes:
    try:
        return tf_convert.mlir_quantize(data, False, integer_io)
    except (RuntimeError, ValueError) as error:
        raise UnsupportedModelError(f"TensorFlow's quantizer failed: {first_line(error)}") from error


def _integer_operators(model: EditableModel) -> int:
    """How many operators read an int8 constant and compute in int8."""
    return sum(
        any(
            tensor >= 0 and model.is_int8(int(tensor)) and model.constant(int(tensor)) is not None
            for tensor in each.inputs
        )
        and any(model.is_int8(int(tensor)) for tensor in each.outputs)
        for each in model.operators
    )


def _by_name(model: EditableModel, seen: Seen, used: Dict[int, Range]) -> Dict[str, Dict[str, float]]:
    return {
        model.name(tensor): {
            "min": found.low,
            "max": found.high,
            "used_min": used[tensor].low,
            "used_max": used[tensor].high,
        }
        for tensor, found in seen.ranges.items()
    }
