"""Make each grouped convolution, for which TFLite 2.4 has no kernel, plain convolutions on parts of the channels.

README, "Grouped convolution", says what was compared: batched matrix products, sums of depthwise convolutions, one
dense convolution, and these. A convolution of fewer than 8 channels is slower than a part of one of 8 of which half are
zeros, so narrow groups are put together first.
"""

from typing import Dict, List, Optional, Sequence

import numpy as np
import onnx
from onnx import helper

from ferry.graph.attributes import attribute
from ferry.graph.links import Links
from ferry.graph.node_list import replace_nodes
from ferry.graph.onnx_file import initializers, opset_of, replace_initializers
from ferry.graph.passes.fold_constants import remove_dead_nodes

NARROWEST = 8
# The zeros may not make the file larger than by this share of its weights.
LARGEST_GROWTH = 0.005


def split_groups(model: onnx.ModelProto) -> None:
    """Rewrite, in place, each ``Conv`` in groups that is not depthwise as split, convolutions and concatenation.

    An activation that alone reads the result goes to each of the convolutions, where TFLite runs it with them.
    """
    if not any(node.op_type == "Conv" and attribute(node, "group", 1) > 1 for node in model.graph.node):
        return
    constants, links, opset = initializers(model), Links(model), opset_of(model)
    budget = LARGEST_GROWTH * sum(array.nbytes for array in constants.values())
    nodes: List[onnx.NodeProto] = []
    moved = set()
    for node in model.graph.node:
        if node.output[0] in moved:
            continue
        if not _is_grouped(node, constants):
            nodes.append(node)
            continue
        weight = constants[node.input[1]]
        group = attribute(node, "group")
        together = _merged(group, weight.shape[1])
        growth = (together - 1) * weight.nbytes
        if growth > budget:
            together, growth = 1, 0
        budget -= growth
        activation = links.sole_reader(node.output[0])
        if activation is not None and not _is_activation(activation, node.output[0], constants):
            activation = None
        if activation is not None:
            moved.add(activation.output[0])
        nodes.extend(_split(node, activation, group // together, together, constants, opset))
    replace_nodes(model, nodes)
    replace_initializers(model, constants)
    remove_dead_nodes(model)


def _is_grouped(node: onnx.NodeProto, constants: Dict[str, np.ndarray]) -> bool:
    if node.op_type != "Conv" or attribute(node, "group", 1) == 1:
        return False
    if any(name not in constants for name in node.input[1:] if name):
        return False
    weight = constants[node.input[1]]
    depthwise = weight.shape[1] == 1 and weight.ndim <= 4
    return not depthwise


def _is_activation(node: onnx.NodeProto, source: str, constants: Dict[str, np.ndarray]) -> bool:
    others = [name for name in node.input[1:] if name]
    return node.op_type in ("Relu", "Clip") and node.input[0] == source and all(name in constants for name in others)


def _merged(group: int, width: int) -> int:
    """How many of the groups to put together: as many as are no wider than ``NARROWEST`` together."""
    return max(
        count for count in range(1, group + 1) if group % count == 0 and (count == 1 or count * width <= NARROWEST)
    )


def _split(
    node: onnx.NodeProto,
    activation: Optional[onnx.NodeProto],
    parts: int,
    together: int,
    constants: Dict[str, np.ndarray],
    opset: int,
) -> List[onnx.NodeProto]:
    output = node.output[0]
    weight = constants[node.input[1]]
    bias = constants[node.input[2]] if len(node.input) > 2 and node.input[2] else None
    names = [f"{output}_group{position}" for position in range(parts)]
    channels = weight.shape[1] * together
    made = []
    source, attributes = node.input[0], [entry for entry in node.attribute if entry.name != "group"]
    if not _pads_as_same(node, weight.shape[2:]):
        # Once for all parts; each convolution would else have a PAD of its own.
        source, pads = f"{output}_padded", attribute(node, "pads")
        rank = len(pads) // 2
        widths = [0, 0, *pads[:rank], 0, 0, *pads[rank:]]
        made.append(_pad(node, source, widths, constants, opset))
        attributes = [entry for entry in attributes if entry.name != "pads"]
    if parts > 1:
        inputs = [f"{name}_in" for name in names]
        made.append(
            helper.make_node("Split", [source], inputs, name=f"{node.name}_split", axis=1, split=[channels] * parts)
        )
    for name, kernel, position in zip(names, np.split(weight, parts), range(parts)):
        inputs = [f"{name}_in" if parts > 1 else source, f"{node.input[1]}_{parts}_{position}"]
        constants[inputs[1]] = _block_diagonal(kernel, together)
        if bias is not None:
            inputs.append(f"{node.input[2]}_{parts}_{position}")
            constants[inputs[2]] = np.split(bias, parts)[position]
        conv = helper.make_node("Conv", inputs, [f"{name}_out" if activation else name], name=f"{node.name}_{position}")
        conv.attribute.extend(attributes)
        made.append(conv)
        if activation:
            inputs = [conv.output[0], *activation.input[1:]]
            act = helper.make_node(activation.op_type, inputs, [name], name=f"{activation.name}_{position}")
            act.attribute.extend(activation.attribute)
            made.append(act)
    target = activation.output[0] if activation else output
    made.append(helper.make_node("Concat", names, [target], name=f"{node.name}_concat", axis=1))
    return made


def _pads_as_same(node: onnx.NodeProto, kernel: Sequence[int]) -> bool:
    """Whether TensorFlow needs no PAD for it: there is no padding, or at stride 1 that of ``SAME``."""
    pads = attribute(node, "pads", [])
    if not any(pads):
        return True
    reach = [(size - 1) * step for size, step in zip(kernel, attribute(node, "dilations", [1] * len(kernel)))]
    same = [total // 2 for total in reach] + [total - total // 2 for total in reach]
    return list(pads) == same and set(attribute(node, "strides", [1])) == {1}


def _pad(
    node: onnx.NodeProto, target: str, widths: List[int], constants: Dict[str, np.ndarray], opset: int
) -> onnx.NodeProto:
    name = f"{node.name}_pad"
    if opset < 11:
        return helper.make_node("Pad", [node.input[0]], [target], name=name, pads=widths)
    constants[f"{target}_widths"] = np.array(widths, np.int64)
    return helper.make_node("Pad", [node.input[0], f"{target}_widths"], [target], name=name)


def _block_diagonal(kernel: np.ndarray, together: int) -> np.ndarray:
    """The kernel (M, w, …) of ``together`` groups as that of one convolution, (M, w · together, …)."""
    filters, width = kernel.shape[:2]
    wide = np.zeros((filters, width * together, *kernel.shape[2:]), kernel.dtype)
    for position in range(together):
        rows = slice(position * filters // together, (position + 1) * filters // together)
        wide[rows, position * width : (position + 1) * width] = kernel[rows]
    return wide
