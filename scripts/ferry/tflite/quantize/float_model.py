"""The float ``.tflite`` that a quantized one is made beside, and how the operators of the two belong together."""

from typing import Dict, List, NamedTuple, Optional

import numpy as np

from ferry.errors import UnsupportedModelError
from ferry.tflite import flatbuffer
from ferry.tflite.editable import EditableModel, schema


class FloatConstants:
    """The constants that the operators of the float model read, by the name of the operator's first output."""

    def __init__(self, data: bytes):
        model = editable(data)
        self._held: Dict[str, List[Optional[np.ndarray]]] = {}
        for operator in model.operators:
            values = [model.constant(int(tensor)) if tensor >= 0 else None for tensor in operator.inputs]
            self._held[first_output(model, operator)] = values

    def of(self, output: str, place: int) -> Optional[np.ndarray]:
        """The constant that the operator which makes ``output`` reads at ``place``; None where it reads none there."""
        values = self._held.get(output, [])
        return values[place] if place < len(values) else None


class InFloat(NamedTuple):
    """An operator, or a constant that it reads, that stays in float: its kind, the name of its output, and why."""

    operator: str
    output: str
    reason: str


def editable(data: bytes) -> EditableModel:
    """The model, to be edited.

    Raises:
        UnsupportedModelError: it has a loop or a condition.
    """
    try:
        return EditableModel(data)
    except ValueError as error:
        raise UnsupportedModelError(
            "a model with a loop or a condition, which are subgraphs of their own, cannot be quantized"
        ) from error


def first_output(model: EditableModel, operator: schema.OperatorT) -> str:
    """The name of the first tensor that ``operator`` makes."""
    return model.name(int(operator.outputs[0]))


def kind_of(model: EditableModel, operator: schema.OperatorT) -> str:
    """The kind of ``operator``, such as ``CONV_2D``."""
    return flatbuffer.builtin_name(model.kind(operator))
