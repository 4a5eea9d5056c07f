"""Normalization layers."""

from typing import Any

import torch
from torch.onnx import symbolic_helper, symbolic_opset9


def _instance_norm(
    g: Any,
    x: Any,
    weight: Any,
    bias: Any,
    mean: Any,
    variance: Any,
    use_input_stats: Any,
    momentum: Any,
    epsilon: Any,
    cudnn_enabled: Any,
) -> Any:
    if symbolic_helper._maybe_get_const(use_input_stats, "i"):
        return symbolic_opset9.instance_norm(
            g, x, weight, bias, mean, variance, use_input_stats, momentum, epsilon, cudnn_enabled
        )
    # With running statistics it is a batch norm; the exporter would normalise by the input's own.
    training = g.op("Constant", value_t=torch.tensor(0))
    return symbolic_opset9.batch_norm(g, x, weight, bias, mean, variance, training, momentum, epsilon, cudnn_enabled)


SYMBOLICS = {"instance_norm": _instance_norm}
