"""Put operators of an int8 model back into float, between a DEQUANTIZE and a QUANTIZE."""

from typing import Dict, List, Set

import numpy as np

from ferry.tflite.editable import EditableModel, schema
from ferry.tflite.quantize.float_model import FloatConstants, InFloat, first_output, kind_of

_KIND, _OPTIONS = schema.BuiltinOperator, schema.BuiltinOptions
RECODES = ("QUANTIZE", "DEQUANTIZE")
# The first version of FULLY_CONNECTED whose weights may be int8 where the rest is float.
_HYBRID_VERSION = 3
NO_FORM = "TensorFlow's scheme has no int8 form of it"


def keep(
    model: EditableModel, floating: EditableModel, constants: FloatConstants, reasons: Dict[int, str], hybrid: Set[int]
) -> List[InFloat]:
    """Edit the int8 ``model`` so that the operators of ``reasons`` compute in float; return all that do, with reasons.

    Args:
        model: what TensorFlow's quantizer built from ``floating``: it keeps the order of the operators.
        floating: the float model, not to be changed.
        constants: what its operators read.
        reasons: why, by the operator's position in ``floating``.
        hybrid: those of them whose weights stay int8.
    """
    operators = [each for each in model.operators if kind_of(model, each) not in RECODES]
    kinds = [kind_of(model, each) for each in operators]
    if kinds != [kind_of(floating, each) for each in floating.operators]:
        raise AssertionError("TensorFlow's quantizer has changed the operators")
    work = _Work(model)
    listed = []
    for position, (operator, original) in enumerate(zip(operators, floating.operators)):
        name = first_output(floating, original)
        reason = reasons.get(position) or (NO_FORM if _is_float(model, operator) else None)
        if position in reasons:
            work.put_back(operator, original, floating, constants, position in hybrid)
        if reason is not None and _is_float(floating, original):
            listed.append(InFloat(kinds[position], name, reason))
    work.finish()
    return listed


def _is_float(model: EditableModel, operator: schema.OperatorT) -> bool:
    return any(model.is_float(int(tensor)) for tensor in [*operator.outputs, *operator.inputs] if tensor >= 0)


class _Work:
    """The edits of one model: which float tensor stands for which of int8 by now."""

    def __init__(self, model: EditableModel):
        self._model = model
        self._floats: Dict[int, int] = {}

    def put_back(
        self,
        operator: schema.OperatorT,
        original: schema.OperatorT,
        floating: EditableModel,
        constants: FloatConstants,
        hybrid: bool,
    ) -> None:
        model = self._model
        name = first_output(floating, original)
        for place, tensor in enumerate(int(each) for each in operator.inputs):
            if tensor < 0 or (hybrid and place == 1):
                continue
            value = constants.of(name, place)
            if value is not None and value.dtype == np.float32:
                like = int(original.inputs[place])
                model.read_instead(
                    operator, place, model.add_tensor(f"{floating.name(like)}_float", value.shape, like, value)
                )
            elif model.is_int8(tensor) and model.quantization(tensor) is not None:
                model.read_instead(operator, place, self._as_float(tensor, operator))
        if hybrid:
            model.set_version(operator, _HYBRID_VERSION)
        for place, tensor in enumerate(int(each) for each in operator.outputs):
            if model.is_int8(tensor) and model.quantization(tensor) is not None:
                made = self._float_output(tensor)
                outputs = [int(each) for each in operator.outputs]
                outputs[place] = made
                operator.outputs = np.array(outputs, np.int32)
                model.makers[made] = operator
                kinds = _KIND.QUANTIZE, _OPTIONS.QuantizeOptions
                model.insert_after(
                    operator, model.new_operator(kinds[0], [made], tensor, kinds[1], schema.QuantizeOptionsT())
                )
                self._floats[tensor] = made

    def finish(self) -> None:
        """Let what read a dequantized tensor that is there in float by now read that."""
        model = self._model
        for operator in list(model.operators):
            if kind_of(model, operator) == "DEQUANTIZE":
                made, again = self._floats.get(int(operator.inputs[0])), int(operator.outputs[0])
                if made is None or again == made:
                    continue
                if model.is_output(again):
                    # The output keeps its name: what is in float is written there at once.
                    model.operators.remove(operator)
                    self._instead(made, again)
                else:
                    self._instead(again, made)

    def _instead(self, old: int, new: int) -> None:
        for operator in self._model.operators:
            operator.inputs = np.array([new if each == old else each for each in operator.inputs], np.int32)
            operator.outputs = np.array([new if each == old else each for each in operator.outputs], np.int32)
        self._floats = {tensor: new if made == old else made for tensor, made in self._floats.items()}

    def _as_float(self, tensor: int, operator: schema.OperatorT) -> int:
        model = self._model
        if tensor not in self._floats:
            maker = model.made_by(tensor, _KIND.QUANTIZE)
            if maker is not None and model.is_float(int(maker.inputs[0])):
                self._floats[tensor] = int(maker.inputs[0])
            else:
                made = self._float_output(tensor)
                kinds = _KIND.DEQUANTIZE, _OPTIONS.DequantizeOptions
                options = schema.DequantizeOptionsT()
                model.insert_before(operator, model.new_operator(kinds[0], [tensor], made, kinds[1], options, 2))
                self._floats[tensor] = made
        return self._floats[tensor]

    def _float_output(self, tensor: int) -> int:
        return self._model.add_float(f"{self._model.name(tensor)}_float", self._model.shape(tensor))
