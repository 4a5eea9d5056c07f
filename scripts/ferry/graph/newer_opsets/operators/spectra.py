"""DFT and STFT of a constant length: a product with the constant matrix of sines and cosines."""

import numpy as np

from ferry.graph.newer_opsets.call import Call
from ferry.graph.newer_opsets.registry import lowers


@lowers("DFT", since=17)
def transform(call: Call) -> None:
    """Along one axis; the last dimension holds real and imaginary parts, or real ones alone."""
    graph, shape = call.graph, call.shape()
    rank = len(shape)
    given = call.integers(2, "axis")[0] if call.has(2) else call.get("axis", 1 if call.opset < 20 else -2)
    axis = call.checked_axis(given, rank)
    length = call.integers(1, "length")[0] if call.has(1) else shape[axis]
    if call.get("inverse", 0) and call.get("onesided", 0):
        raise call.refuse("it is the inverse of a one-sided transform")
    matrix = _matrix(shape[axis], length, shape[-1], bool(call.get("onesided", 0)), bool(call.get("inverse", 0)))
    order = [*(each for each in range(rank - 1) if each != axis), axis, rank - 1]
    outer = [shape[each] for each in order[:-2]]
    turned = graph.op("Transpose", [call.input(0)], perm=order)
    rows = graph.op("Reshape", [turned, graph.constant([*outer, shape[axis] * shape[-1]], np.int64)])
    made = graph.op("MatMul", [rows, graph.constant_like(matrix, rows)])
    bins = graph.op("Reshape", [made, graph.constant([*outer, -1, 2], np.int64)])
    graph.op("Transpose", [bins], call.outputs, perm=[int(each) for each in np.argsort(order)])


@lowers("STFT", since=17)
def short_time_transform(call: Call) -> None:
    """Overlapping frames of a signal, each under a window and transformed."""
    graph, shape = call.graph, call.shape()
    step = call.integers(1, "frame step")[0]
    window = graph.value(call.input(2)) if call.has(2) else None
    if call.has(2) and window is None:
        raise call.refuse("its window depends on the model's input")
    length = call.integers(3, "frame length")[0] if call.has(3) else len(window if window is not None else ())
    if step < 1 or not 1 <= length <= shape[1] or (window is not None and len(window) != length):
        raise call.refuse(f"its frames of {length} every {step} values do not fit its window and its signal")
    parts = shape[2] if len(shape) > 2 else 1
    starts = np.arange(0, shape[1] - length + 1, step)
    places = graph.constant(starts[:, np.newaxis] + np.arange(length), np.int64)
    frames = graph.op("Gather", [call.input(0), places], axis=1)
    rows = graph.op("Reshape", [frames, graph.constant([shape[0], len(starts), length * parts], np.int64)])
    matrix = _matrix(length, length, parts, bool(call.get("onesided", 1)), inverse=False)
    if window is not None:
        matrix = np.repeat(window.astype(np.float64), parts)[:, np.newaxis] * matrix
    made = graph.op("MatMul", [rows, graph.constant_like(matrix, rows)])
    graph.op("Reshape", [made, graph.constant([shape[0], len(starts), -1, 2], np.int64)], call.outputs)


def _matrix(size: int, length: int, parts: int, onesided: bool, inverse: bool) -> np.ndarray:
    """From ``size`` numbers of one or two ``parts`` to the bins of a transform of ``length``, of two parts each."""
    bins = length // 2 + 1 if onesided else length
    angles = 2 * np.pi / length * (np.outer(np.arange(size), np.arange(bins)) % length)
    # What is longer than the transform is cut off.
    turn = np.exp((1j if inverse else -1j) * angles) * (np.arange(size) < length)[:, np.newaxis]
    turn = turn / length if inverse else turn
    of_real = np.stack([turn.real, turn.imag], axis=-1)
    of_imaginary = np.stack([-turn.imag, turn.real], axis=-1)
    return np.stack([of_real, of_imaginary][:parts], axis=1).reshape(size * parts, bins * 2)
