"""Which tensors are best laid out with their channels last."""

from typing import Set

import onnx

from ferry.graph.operator_registry import Layout, layout_of


def read_channels_last(model: onnx.ModelProto) -> Set[str]:
    """The tensors that lead to a convolution or a pool without a change of layout on the way."""
    found: Set[str] = set()
    for node in reversed(model.graph.node):
        layout = layout_of(node.op_type)
        if layout is Layout.CHANNELS_LAST:
            found.update(node.input[:1])
        elif layout is Layout.ANY and found.intersection(node.output):
            found.update(node.input)
    return found
