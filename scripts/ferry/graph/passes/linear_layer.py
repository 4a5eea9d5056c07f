"""The layers that are linear in their input and have weights: convolution, transposed or not, and ``Gemm``."""

from typing import Mapping, Optional

import numpy as np
import onnx

from ferry.graph.attributes import attribute

OPERATORS = ("Conv", "ConvTranspose", "Gemm")


class LinearLayer:
    """A node of ``OPERATORS`` with constant weights, as float64 arrays; see :func:`linear_layer`."""

    def __init__(self, node: onnx.NodeProto, weight: np.ndarray, bias: Optional[np.ndarray]):
        self.node = node
        self.group = attribute(node, "group", 1)
        self.rank = 2 if node.op_type == "Gemm" else weight.ndim
        self._rows_first = node.op_type == "Conv" or bool(attribute(node, "transB", 0))
        # One form for all: (group, outputs, inputs, positions in the kernel).
        split = weight if node.op_type != "Gemm" or self._rows_first else weight.T
        self._split_shape = split.shape
        if node.op_type == "ConvTranspose":
            grouped = weight.reshape(self.group, weight.shape[0] // self.group, weight.shape[1], -1).swapaxes(1, 2)
        else:
            grouped = split.reshape(self.group, split.shape[0] // self.group, split.shape[1], -1)
        self._grouped = grouped.astype(np.float64)
        self.inputs = self.group * grouped.shape[2]
        self.outputs = self.group * grouped.shape[1]
        given = np.zeros(self.outputs) if bias is None else bias.astype(np.float64)
        self.bias = np.broadcast_to(given.ravel(), (self.outputs,)).copy()

    @property
    def weight(self) -> np.ndarray:
        """The weights, float64, in the node's own layout."""
        if self.node.op_type == "ConvTranspose":
            return self._grouped.swapaxes(1, 2).reshape(self._split_shape)
        made = self._grouped.reshape(self._split_shape)
        return made if self._rows_first else made.T

    def scale_outputs(self, factor: np.ndarray) -> None:
        """Multiply each output, its bias included, by one of ``factor`` (outputs,)."""
        self._grouped = self._grouped * factor.reshape(self.group, -1, 1, 1)
        self.bias = self.bias * factor

    def scale_inputs(self, factor: np.ndarray) -> None:
        """Act as if each input had been multiplied by one of ``factor`` (inputs,)."""
        self._grouped = self._grouped * factor.reshape(self.group, 1, -1, 1)

    def shift_inputs(self, shift: np.ndarray) -> None:
        """Act as if ``shift`` (inputs,) had been added to the input: exact if ``sees_only_input``."""
        self.bias = self.bias + (self._grouped * shift.reshape(self.group, 1, -1, 1)).sum(axis=(2, 3)).ravel()

    @property
    def sees_only_input(self) -> bool:
        """Whether no output reaches into padding, so that what is added to all of the input adds to all outputs."""
        if self.node.op_type == "Conv":
            return attribute(self.node, "auto_pad", b"NOTSET") in (b"NOTSET", b"VALID") and not any(
                attribute(self.node, "pads", [])
            )
        return self.node.op_type == "Gemm"


def linear_layer(node: Optional[onnx.NodeProto], constants: Mapping[str, np.ndarray]) -> Optional[LinearLayer]:
    """``node`` as a linear layer; ``None`` if it is not one, or its weights are not constant."""
    if node is None or node.op_type not in OPERATORS or node.domain not in ("", "ai.onnx"):
        return None
    names = [name for name in node.input[1:] if name]
    if any(name not in constants for name in names) or node.input[0] in constants:
        return None
    bias = constants[names[1]] if len(names) > 1 else None
    if node.op_type == "Gemm":
        plain = attribute(node, "alpha", 1.0) == attribute(node, "beta", 1.0) == 1.0 and not attribute(
            node, "transA", 0
        )
        # A bias may differ from row to row.
        if not plain or (bias is not None and bias.ndim == 2 and bias.shape[0] != 1):
            return None
    return LinearLayer(node, constants[names[0]], bias)
