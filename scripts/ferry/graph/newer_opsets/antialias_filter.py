"""The filter of an antialiased Resize along one axis, as a matrix."""

from typing import Any, Callable, Dict

import numpy as np

COORDINATES = ("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric")


def weights(size: int, made: int, scale: float, attributes: Dict[str, Any]) -> np.ndarray:
    """The matrix ``[made, size]`` by which an axis of ``size`` values becomes one of ``made``, as ONNX defines it.

    A filter of ``mode`` is as much wider as the axis shrinks; its weights sum to 1. What lies outside is the edge's
    value, or left out with ``exclude_outside``.
    """
    cubic = attributes.get("mode") == "cubic"
    coefficient = attributes.get("cubic_coeff_a", -0.75)
    shape: Callable[[np.ndarray], np.ndarray] = (lambda x: _cubic(x, coefficient)) if cubic else _linear
    narrowing = min(scale, 1.0)
    reach = int(np.ceil((2 if cubic else 1) / narrowing)) + 1
    matrix = np.zeros((made, size))
    for row, centre in enumerate(_centres(size, made, scale, attributes)):
        taps = np.arange(int(np.floor(centre)) - reach, int(np.floor(centre)) + reach + 1)
        values = shape((taps - centre) * narrowing)
        if attributes.get("exclude_outside", 0):
            values = np.where((taps >= 0) & (taps < size), values, 0)
        np.add.at(matrix[row], np.clip(taps, 0, size - 1), values / values.sum())
    return matrix


def _centres(size: int, made: int, scale: float, attributes: Dict[str, Any]) -> np.ndarray:
    mode = attributes.get("coordinate_transformation_mode", "half_pixel")
    places = np.arange(made)
    if mode == "asymmetric":
        return places / scale
    if mode == "align_corners":
        return places * (size - 1) / max(scale * size - 1, 1e-9)
    if mode == "pytorch_half_pixel" and made == 1:
        return np.array([-0.5])
    return (places + 0.5) / scale - 0.5


def _linear(x: np.ndarray) -> np.ndarray:
    return np.clip(1 - np.abs(x), 0, 1)


def _cubic(x: np.ndarray, a: float) -> np.ndarray:
    x = np.abs(x)
    near = (a + 2) * x**3 - (a + 3) * x**2 + 1
    far = a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a
    return np.where(x <= 1, near, np.where(x < 2, far, 0))
