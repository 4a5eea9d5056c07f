"""Edits of the float model without which TensorFlow's quantizer makes a file that no runtime loads."""

from typing import Dict

import numpy as np

from ferry.tflite.editable import EditableModel, schema
from ferry.tflite.quantize import float_run
from ferry.tflite.quantize.float_run import Samples


def constants_of_their_own(model: EditableModel) -> None:
    """Give each operator float vectors that are no other's, equal ones neither.

    The quantizer makes one int32 bias of equal constants for all that read them, whatever the scales of their inputs
    are, and whether they read it as a bias or add it to something. The copies differ in the last bit of one number.
    """
    copies: Dict[bytes, int] = {}
    for operator in model.operators:
        for place, tensor in enumerate(int(each) for each in operator.inputs):
            value = model.constant(tensor) if tensor >= 0 and model.is_float(tensor) else None
            # A matrix is the weights of a layer: two layers with the same weights share them.
            if value is None or value.ndim > 1:
                continue
            key = value.tobytes()
            copies[key] = copies.get(key, -1) + 1
            if copies[key]:
                other = value.copy()
                for _ in range(copies[key]):
                    other.flat[0] = np.nextafter(other.flat[0], np.float32(np.inf))
                copy = model.add_tensor(f"{model.name(tensor)}_{copies[key]}", value.shape, tensor, other)
                model.read_instead(operator, place, copy)


def finite_pads(data: bytes, samples: Samples) -> bytes:
    """The model ``data``, in which what is padded with minus infinity gets the least value seen there.

    A maximum over a window takes neither, and int8 holds no infinity.
    """
    model = EditableModel(data)
    pads = [each for each in model.operators if _is_endless(model, each)]
    if not pads:
        return data
    seen = float_run.observe(data, samples())
    for operator in pads:
        value = model.constant(int(operator.inputs[2]))
        source = int(operator.inputs[0])
        if value is not None and source in seen.ranges:
            copy = model.add_tensor(
                f"{model.name(int(operator.outputs[0]))}/value",
                value.shape,
                source,
                np.full(value.shape, seen.ranges[source].low, np.float32),
            )
            model.read_instead(operator, 2, copy)
    return model.to_bytes()


def _is_endless(model: EditableModel, operator: schema.OperatorT) -> bool:
    if model.kind(operator) != schema.BuiltinOperator.PADV2:
        return False
    value = model.constant(int(operator.inputs[2]))
    return value is not None and value.dtype == np.float32 and float(value.max()) < -float_run.INFINITE
