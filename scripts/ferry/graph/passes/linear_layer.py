"""The layers that are linear in their input and have weights: convolution, transposed or not, and ``Gemm``."""

from typing import List, Optional

import numpy as np

from ferry.graph.graph import Graph
from ferry.graph.node import Node, Value

OPERATORS = ("Conv", "ConvTranspose", "Gemm")


class LinearLayer:
    """A node of ``OPERATORS`` with constant weights, to be changed in float64; see :func:`linear_layer`."""

    def __init__(self, node: Node, weight_value: Value, bias: Optional[np.ndarray]):
        self.node, self.weight_value = node, weight_value
        weight = weight_value.array
        self.group = node.attribute("group", 1)
        self.rank = 2 if node.operator == "Gemm" else weight.ndim
        self._rows_first = node.operator == "Conv" or bool(node.attribute("transB", 0))
        # One form for all: (group, outputs, inputs, positions in the kernel).
        split = weight if node.operator != "Gemm" or self._rows_first else weight.T
        self._split_shape = split.shape
        if node.operator == "ConvTranspose":
            grouped = weight.reshape(self.group, weight.shape[0] // self.group, weight.shape[1], -1).swapaxes(1, 2)
        else:
            grouped = split.reshape(self.group, split.shape[0] // self.group, split.shape[1], -1)
        # In the model's dtype until it is multiplied by something in float64: most layers are only looked at.
        self._grouped = grouped
        self.inputs = self.group * grouped.shape[2]
        self.outputs = self.group * grouped.shape[1]
        given = np.zeros(self.outputs) if bias is None else bias.astype(np.float64)
        self.bias = np.broadcast_to(given.ravel(), (self.outputs,)).copy()

    @property
    def weight(self) -> np.ndarray:
        """The weights, float64, in the node's own layout."""
        grouped = self._grouped.astype(np.float64, copy=False)
        if self.node.operator == "ConvTranspose":
            return grouped.swapaxes(1, 2).reshape(self._split_shape)
        made = grouped.reshape(self._split_shape)
        return made if self._rows_first else made.T

    def scale_outputs(self, factor: np.ndarray) -> None:
        """Multiply each output, its bias included, by one of ``factor`` (outputs,), float64."""
        self._grouped = self._grouped * factor.reshape(self.group, -1, 1, 1)
        self.bias = self.bias * factor

    def scale_inputs(self, factor: np.ndarray) -> None:
        """Act as if each input had been multiplied by one of ``factor`` (inputs,), float64."""
        self._grouped = self._grouped * factor.reshape(self.group, 1, -1, 1)

    def shift_inputs(self, shift: np.ndarray) -> None:
        """Act as if ``shift`` (inputs,), float64, had been added to the input: exact if ``sees_only_input``."""
        self.bias = self.bias + (self._grouped * shift.reshape(self.group, 1, -1, 1)).sum(axis=(2, 3)).ravel()

    @property
    def sees_only_input(self) -> bool:
        """Whether no output reaches into padding, so that what is added to all of the input adds to all outputs."""
        if self.node.operator == "Conv":
            return self.node.attribute("auto_pad", b"NOTSET") in (b"NOTSET", b"VALID") and not any(
                self.node.attribute("pads", [])
            )
        return self.node.operator == "Gemm"

    def store(self, graph: Graph) -> List[Value]:
        """Give the node the new weights, and a new bias where it has one or has come to need one; return them."""
        node, weight, (source, *old) = self.node, self.weight_value, self.node.inputs
        new = [graph.add_constant(f"{weight.name}_folded", self.weight, weight.dtype)]
        if (len(old) > 1 and old[1] is not None) or self.bias.any():
            new.append(graph.add_constant(f"{node.output.name}_bias", self.bias, weight.dtype))
        node.set_inputs([source, *new])
        graph.forget_unused(old)
        return new


def linear_layer(node: Optional[Node]) -> Optional[LinearLayer]:
    """``node`` as a linear layer; ``None`` if it is not one, or its weights are not constant."""
    if node is None or not node.is_a(*OPERATORS):
        return None
    source, *rest = node.inputs
    operands = [value for value in rest if value is not None]
    if source is None or source.is_constant or not operands or not all(value.is_constant for value in operands):
        return None
    weight, bias = operands[0], operands[1].array if len(operands) > 1 else None
    if node.operator == "Gemm":
        plain = node.attribute("alpha", 1.0) == node.attribute("beta", 1.0) == 1.0 and not node.attribute("transA", 0)
        # A bias may differ from row to row.
        if not plain or (bias is not None and bias.ndim == 2 and bias.shape[0] != 1):
            return None
    return LinearLayer(node, weight, bias)
