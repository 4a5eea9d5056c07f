"""Windows cut out of a tensor and put back: unfold, fold, and the short-time Fourier transform."""

import math
from typing import Any

import numpy as np
import torch
from torch.onnx import symbolic_helper

from ferry.export.symbolics import traced


def _single_elements(g: Any, kernel: Any, dtype: torch.dtype) -> Any:
    """Weights [elements, 1, *kernel] of which each picks one element of a window."""
    count = kernel[0] * kernel[1]
    return traced.constant(g, torch.eye(count).reshape(count, 1, *kernel), dtype)


@symbolic_helper.parse_args("v", "is", "is", "is", "is")
def _im2col(g: Any, x: Any, kernel: Any, dilation: Any, padding: Any, stride: Any) -> Any:
    batch, channels, *image = traced.shape(x)
    alone = traced.reshaped(g, x, [batch * channels, 1, *image])
    cut = g.op(
        "Conv",
        alone,
        _single_elements(g, kernel, traced.dtype(x)),
        kernel_shape_i=kernel,
        dilations_i=dilation,
        pads_i=[*padding, *padding],
        strides_i=stride,
    )
    return traced.reshaped(g, cut, [batch, channels * kernel[0] * kernel[1], -1])


@symbolic_helper.parse_args("v", "is", "is", "is", "is", "is")
def _col2im(g: Any, x: Any, image: Any, kernel: Any, dilation: Any, padding: Any, stride: Any) -> Any:
    batch, elements, _ = traced.shape(x)
    count = kernel[0] * kernel[1]
    spans = [step * (size - 1) + 1 for step, size in zip(dilation, kernel)]
    places = [(image[axis] + 2 * padding[axis] - spans[axis]) // stride[axis] + 1 for axis in (0, 1)]
    # What no window reaches, at the far end, stays 0.
    rest = [(image[axis] + 2 * padding[axis] - spans[axis]) % stride[axis] for axis in (0, 1)]
    summed = g.op(
        "ConvTranspose",
        traced.reshaped(g, x, [batch * elements // count, count, *places]),
        _single_elements(g, kernel, traced.dtype(x)),
        kernel_shape_i=kernel,
        dilations_i=dilation,
        pads_i=[*padding, *padding],
        strides_i=stride,
        output_padding_i=rest,
    )
    return traced.reshaped(g, summed, [batch, elements // count, *image])


def _stft(g: Any, x: Any, size: Any, hop: Any, width: Any, window: Any, normalized: Any, onesided: Any) -> Any:
    count = traced.number(size)
    step = traced.number(hop, count // 4)
    length = traced.number(width, count)
    shape = traced.shape(x)
    frequencies = count // 2 + 1 if traced.number(onesided) else count
    # The angles are taken modulo a turn as integers, which is exact.
    turns = np.outer(np.arange(frequencies), np.arange(count)) % count / count
    waves = np.concatenate([np.cos(2 * math.pi * turns), -np.sin(2 * math.pi * turns)])
    if traced.number(normalized):
        waves /= math.sqrt(count)
    before = (count - length) // 2
    weights = traced.constant(g, waves[:, np.newaxis], torch.float32)
    if not symbolic_helper._is_none(window):
        pads = traced.constant(g, [before, count - length - before], torch.int64)
        weights = g.op("Mul", weights, window if length == count else g.op("Pad", window, pads))
    elif length != count:
        inside = (np.arange(count) >= before) & (np.arange(count) < before + length)
        weights = traced.constant(g, (waves * inside)[:, np.newaxis], torch.float32)
    batch = shape[0] if len(shape) == 2 else 1
    signal = traced.reshaped(g, x, [batch, 1, shape[-1]])
    made = g.op("Conv", signal, weights, kernel_shape_i=[count], strides_i=[step])
    frames = (shape[-1] - count) // step + 1
    parts = traced.reshaped(g, made, [batch, 2, frequencies, frames])
    turned = g.op("Transpose", parts, perm_i=[0, 2, 3, 1])
    return turned if len(shape) == 2 else traced.reshaped(g, turned, [frequencies, frames, 2])


SYMBOLICS = {"im2col": _im2col, "col2im": _col2im, "stft": _stft}
