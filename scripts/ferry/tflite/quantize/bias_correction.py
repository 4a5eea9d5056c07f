"""Take the mean error that rounding the weights makes out of the biases.

Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction" (2019), section 4.2, with the
inputs' means measured. What clipping makes is left alone: where a range is cut on purpose, correcting for it costs more
than it gains.
"""

from typing import Iterator, Optional, Set, Tuple

import numpy as np

from ferry.tflite.editable import EditableModel, schema
from ferry.tflite.quantize.float_run import Seen

_KIND = schema.BuiltinOperator
# The axis of the weights along which TensorFlow has a scale for each channel; FULLY_CONNECTED has one for all.
_CHANNEL_AXIS = {_KIND.CONV_2D: 0, _KIND.DEPTHWISE_CONV_2D: 3, _KIND.FULLY_CONNECTED: None}


def correct(model: EditableModel, seen: Seen, in_float: Set[int]) -> None:
    """Edit the biases of the float ``model``, but for the operators at the positions ``in_float``."""
    for position, operator in enumerate(model.operators):
        kind = model.kind(operator)
        if kind not in _CHANNEL_AXIS or position in in_float or len(operator.inputs) < 3:
            continue
        source, weights, bias = (int(tensor) for tensor in operator.inputs[:3])
        held = model.constant(weights) if weights >= 0 else None
        value = model.constant(bias) if bias >= 0 else None
        mean = seen.means.get(source)
        if held is None or value is None or mean is None or not np.isfinite(mean).all():
            continue
        lost = rounded(held, _CHANNEL_AXIS[kind]) - held
        error = _mean_product(operator, kind, mean, lost)
        model.set_constant(bias, (value - error).astype(np.float32))


def rounded(weights: np.ndarray, axis: Optional[int]) -> np.ndarray:
    """The weights in float64 as int8 holds them: symmetric, with a scale for each channel along ``axis``."""
    others = tuple(each for each in range(weights.ndim) if each != axis) if axis is not None else None
    largest = np.abs(weights.astype(np.float64)).max(axis=others, keepdims=True)
    scale = np.where(largest > 0, largest, 1.0) / 127
    return np.clip(np.rint(weights / scale), -127, 127) * scale


def _mean_product(operator: schema.OperatorT, kind: int, mean: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """What the layer without its bias makes of the input ``mean`` on average over all places of a channel."""
    if kind == _KIND.FULLY_CONNECTED:
        return mean.reshape(-1, weights.shape[1]).mean(0) @ weights.T
    total = 0.0
    for row, column, seen in _taps(operator.builtinOptions, mean, weights.shape[1:3]):
        at = weights[:, row, column, :]
        if kind == _KIND.CONV_2D:
            total = total + at @ seen
        else:
            total = total + at[0] * np.repeat(seen, at.shape[1] // len(seen))
    return np.asarray(total)


def _taps(options, image: np.ndarray, kernel: Tuple[int, int]) -> Iterator[Tuple[int, int, np.ndarray]]:
    """For each place in the kernel, the mean of each channel over the values that it is multiplied with."""
    strides = options.strideH, options.strideW
    dilations = options.dilationHFactor, options.dilationWFactor
    padding, sizes = [(0, 0)], []
    for size, extent, stride, dilation in zip(image.shape[1:3], kernel, strides, dilations):
        reach = (extent - 1) * dilation + 1
        if options.padding == schema.Padding.SAME:
            made = -(-size // stride)
            missing = max((made - 1) * stride + reach - size, 0)
        else:
            made, missing = (size - reach) // stride + 1, 0
        padding.append((missing // 2, missing - missing // 2))
        sizes.append(made)
    padded = np.pad(image, [*padding, (0, 0)])
    for row in range(kernel[0]):
        for column in range(kernel[1]):
            first = row * dilations[0], column * dilations[1]
            rows, columns = (
                slice(begin, begin + (made - 1) * stride + 1, stride)
                for begin, made, stride in zip(first, sizes, strides)
            )
            yield row, column, padded[:, rows, columns].mean(axis=(0, 1, 2))
