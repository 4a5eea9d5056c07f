"""The operators of ONNX, opset 7 to 12: one kind of them a file."""

from ferry.evaluate.operators import (
    activation,
    arithmetic,
    comparison,
    constant,
    convolution,
    elementwise,
    indexing,
    matrix,
    movement,
    normalization,
    pooling,
    recurrent,
    reduction,
    resize,
    selection,
)
from ferry.evaluate.registry import OPERATORS

__all__ = [
    "OPERATORS",
    "activation",
    "arithmetic",
    "comparison",
    "constant",
    "convolution",
    "elementwise",
    "indexing",
    "matrix",
    "movement",
    "normalization",
    "pooling",
    "recurrent",
    "reduction",
    "resize",
    "selection",
]
