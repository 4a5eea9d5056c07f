"""A step for each channel of a transposed convolution's weights, where TensorFlow's quantizer gives one for them all.

TF 2.4's kernel reads a step for each channel. Where there is one alone, it computes the first channel, and all others
are zero; newer runtimes read either.
"""

import numpy as np

from ferry.tflite.editable import EditableModel, schema

_WEIGHTS, _DATA, _BIAS = 1, 2, 3
_LARGEST = 127


def give_each_channel_its_own(model: EditableModel, floating: EditableModel) -> None:
    """Quantize the weights and biases of the int8 ``model``'s transposed convolutions anew.

    ``floating`` is what TensorFlow's quantizer made ``model`` of: it keeps the order of the operators.
    """
    kind = schema.BuiltinOperator.TRANSPOSE_CONV
    pairs = zip(*([each for each in one.operators if one.kind(each) == kind] for one in (model, floating)))
    for operator, original in pairs:
        inputs = [int(tensor) for tensor in operator.inputs]
        theirs = [floating.constant(int(tensor)) if tensor >= 0 else None for tensor in original.inputs]
        weights, held = theirs[_WEIGHTS], model.quantization(inputs[_WEIGHTS])
        data = model.quantization(inputs[_DATA])
        if weights is None or held is None or data is None or not model.is_int8(inputs[_WEIGHTS]):
            continue
        largest = np.abs(weights).max(axis=(1, 2, 3), keepdims=True)
        # Of a channel that is zero any step will do that its bias can be counted in.
        scale = np.where(largest > 0, largest, np.float32(1)) / np.float32(_LARGEST)
        model.set_constant(inputs[_WEIGHTS], np.rint(weights / scale).astype(np.int8))
        _set(held, scale.reshape(-1))
        bias = theirs[_BIAS] if len(theirs) > _BIAS else None
        held_bias = model.quantization(inputs[_BIAS]) if len(inputs) > _BIAS else None
        if bias is not None and held_bias is not None:
            steps = scale.reshape(-1) * np.float32(data.scale[0])
            model.set_constant(inputs[_BIAS], np.rint(bias / steps.astype(np.float64)).astype(np.int32))
            _set(held_bias, steps)


def _set(held: schema.QuantizationParametersT, scale: np.ndarray) -> None:
    held.scale, held.zeroPoint = scale.astype(np.float32), np.zeros(len(scale), np.int64)
    held.quantizedDimension, held.min, held.max = 0, None, None
