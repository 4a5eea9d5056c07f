"""ONNX forms of operators for which PyTorch 1.5.1's exporter has none, or a wrong one."""

from typing import Iterable

import torch
from torch.onnx import symbolic_helper, symbolic_opset9, symbolic_registry


def register(opsets: Iterable[int]) -> None:
    """Have the exporter use these functions in each of ``opsets``."""
    for opset in opsets:
        symbolic_registry.register_version("", opset)
        for name, function in (("dot", _product), ("mv", _product), ("instance_norm", _instance_norm)):
            symbolic_registry.register_op(name, function, "", opset)


def _product(g, left, right):
    # Spectral norm computes with both.
    return g.op("MatMul", left, right)


def _instance_norm(g, x, weight, bias, mean, variance, use_input_stats, momentum, epsilon, cudnn_enabled):
    if symbolic_helper._maybe_get_const(use_input_stats, "i"):
        return symbolic_opset9.instance_norm(
            g, x, weight, bias, mean, variance, use_input_stats, momentum, epsilon, cudnn_enabled
        )
    # With running statistics it is a batch norm; the exporter would normalise by the input's own.
    training = g.op("Constant", value_t=torch.tensor(0))
    return symbolic_opset9.batch_norm(g, x, weight, bias, mean, variance, training, momentum, epsilon, cudnn_enabled)
