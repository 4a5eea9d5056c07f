"""Fold a ``Pad`` of zeros into the convolution or average pool that reads it.

PyTorch exports an average pool that counts its padding as two nodes, and models that pad by hand do the same. What the
operator pads itself may be TensorFlow's ``SAME``, and then costs nothing.
"""

from typing import Dict, List, Optional

import numpy as np
import onnx
from onnx import helper

from ferry.graph.attributes import attribute
from ferry.graph.links import Links
from ferry.graph.node_list import has
from ferry.graph.onnx_file import initializers
from ferry.graph.passes.fold_constants import remove_dead_nodes


def fold_pad(model: onnx.ModelProto) -> None:
    """Rewrite, in place, each zero ``Pad`` of spatial dimensions that one ``Conv`` or ``AveragePool`` alone reads."""
    if not has(model, "Pad"):
        return
    constants, links = initializers(model), Links(model)
    for pad in list(model.graph.node):
        widths = _spatial_zeros(pad, constants) if pad.op_type == "Pad" else None
        reader = links.sole_reader(pad.output[0])
        if widths is None or reader is None or not _can_pad(reader, pad.output[0], len(widths)):
            continue
        own = attribute(reader, "pads", [0] * len(widths))
        reader.input[0] = pad.input[0]
        _set(reader, "pads", [first + second for first, second in zip(own, widths)])
        if reader.op_type == "AveragePool":
            _set(reader, "count_include_pad", 1)
    remove_dead_nodes(model)


def _spatial_zeros(pad: onnx.NodeProto, constants: Dict[str, np.ndarray]) -> Optional[List[int]]:
    """The widths as a convolution's ``pads``; ``None`` where other dimensions or other values are padded."""
    if attribute(pad, "mode", b"constant") != b"constant":
        return None
    if len(pad.input) > 1:
        if any(name not in constants for name in pad.input[1:] if name):
            return None
        widths = [int(width) for width in constants[pad.input[1]]]
        value = float(constants[pad.input[2]]) if len(pad.input) > 2 and pad.input[2] else 0.0
    else:
        widths, value = attribute(pad, "pads", []), attribute(pad, "value", 0.0)
    rank = len(widths) // 2
    if value != 0 or rank < 3 or min(widths) < 0 or any(widths[:2]) or any(widths[rank : rank + 2]):
        return None
    return [*widths[2:rank], *widths[rank + 2 :]]


def _can_pad(reader: onnx.NodeProto, source: str, count: int) -> bool:
    if reader.input[0] != source or attribute(reader, "auto_pad", b"NOTSET") != b"NOTSET":
        return False
    if reader.op_type == "AveragePool":
        # One that has padding of its own may not count it; with ceil mode the two differ at the end.
        return not any(attribute(reader, "pads", [])) and not attribute(reader, "ceil_mode", 0)
    return reader.op_type == "Conv" and len(attribute(reader, "pads", [0] * count)) == count


def _set(node: onnx.NodeProto, name: str, value) -> None:
    others = [entry for entry in node.attribute if entry.name != name]
    copy = onnx.NodeProto()
    copy.attribute.extend([*others, helper.make_attribute(name, value)])
    del node.attribute[:]
    node.attribute.extend(copy.attribute)
