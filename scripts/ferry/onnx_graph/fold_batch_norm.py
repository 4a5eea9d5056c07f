"""Fold each batch norm into the convolution before it, in float64.

Folded in float32, the scale is rounded twice and the error of the whole network grows up to ten-fold; folded in
float64 and rounded once, it stays at float32's own rounding.
"""

from collections import Counter
from typing import Dict, List, Optional, Sequence, Tuple

import numpy as np
import onnx
from onnx import helper

from ferry.onnx_graph.fold_constants import remove_dead_nodes
from ferry.onnx_graph.model_file import initializers, replace_initializers

DEFAULT_EPSILON = 1e-5


def fold_batch_norm(model: onnx.ModelProto) -> None:
    """Rewrite, in place, each ``Conv`` → ``BatchNormalization`` pair as one ``Conv`` with a bias.

    A pair is left alone where the convolution's output has a second reader, is an output of the model, or where a
    weight is not an initializer or is shared with another node.
    """
    constants = initializers(model)
    readers = Counter(name for node in model.graph.node for name in node.input)
    readers.update(output.name for output in model.graph.output)
    producer = {name: node for node in model.graph.node for name in node.output}
    for norm in list(model.graph.node):
        if norm.op_type != "BatchNormalization":
            continue
        conv = producer.get(norm.input[0])
        if conv is None or conv.op_type != "Conv" or readers[conv.output[0]] != 1:
            continue
        parameters: List[str] = [*conv.input[1:], *norm.input[1:]]
        if any(name not in constants for name in parameters) or readers[conv.input[1]] != 1:
            continue
        _fold(conv, norm, constants)
        model.graph.node.remove(norm)
    replace_initializers(model, constants)
    remove_dead_nodes(model)


def scale_and_shift(parameters: Sequence[np.ndarray], epsilon: float) -> Tuple[np.ndarray, np.ndarray]:
    """The two float64 vectors, of one value a channel, that a batch norm in eval mode multiplies by and then adds.

    ``parameters`` are ONNX's scale, bias, mean and variance, in that order.
    """
    scale, shift, mean, variance = (array.astype(np.float64) for array in parameters)
    factor = scale / np.sqrt(variance + epsilon)
    return factor, shift - mean * factor


def _fold(conv: onnx.NodeProto, norm: onnx.NodeProto, constants: Dict[str, np.ndarray]) -> None:
    epsilon = next((entry.f for entry in norm.attribute if entry.name == "epsilon"), DEFAULT_EPSILON)
    factor, shift = scale_and_shift([constants[name] for name in norm.input[1:5]], epsilon)
    weight = constants[conv.input[1]]
    bias_name: Optional[str] = conv.input[2] if len(conv.input) > 2 else None
    bias = constants[bias_name].astype(np.float64) if bias_name else 0.0
    per_filter = factor.reshape([-1] + [1] * (weight.ndim - 1))
    constants[conv.input[1]] = (weight.astype(np.float64) * per_filter).astype(weight.dtype)
    # The old bias may be shared, so the folded one gets a name that is this convolution's own.
    folded_bias = norm.output[0] + "_folded_bias"
    constants[folded_bias] = (bias * factor + shift).astype(weight.dtype)
    inputs = [conv.input[0], conv.input[1], folded_bias]
    replacement = helper.make_node("Conv", inputs, [norm.output[0]], name=conv.name)
    replacement.attribute.extend(conv.attribute)
    conv.CopyFrom(replacement)
