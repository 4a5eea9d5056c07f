"""Fold a ``Pad`` of zeros into the convolution or average pool that reads it.

PyTorch exports an average pool that counts its padding as two nodes, and models that pad by hand do the same. What the
operator pads itself may be TensorFlow's ``SAME``, and then costs nothing.
"""

from typing import List, Optional

from ferry.graph.graph import Graph
from ferry.graph.node import Node, Use


def fold_pad(graph: Graph) -> bool:
    """Rewrite each zero ``Pad`` of spatial dimensions that one ``Conv`` or ``AveragePool`` alone reads."""
    changed = False
    # From the end: of two in a row, the second must be folded for the first to be next to the convolution.
    for pad in reversed(graph.nodes):
        widths = _spatial_zeros(pad) if pad.is_a("Pad") else None
        use = pad.output.sole_use if widths is not None else None
        if widths is None or use is None or not _can_pad(use, len(widths)):
            continue
        reader = use.node
        own = reader.attribute("pads", [0] * len(widths))
        reader.set_input(0, pad.input(0))
        reader.attributes["pads"] = [first + second for first, second in zip(own, widths)]
        if reader.operator == "AveragePool":
            reader.attributes["count_include_pad"] = 1
        graph.remove(pad)
        changed = True
    return changed


def _spatial_zeros(pad: Node) -> Optional[List[int]]:
    """The widths as a convolution's ``pads``; ``None`` where other dimensions or other values are padded."""
    if pad.attribute("mode", b"constant") != b"constant":
        return None
    if len(pad.inputs) > 1:
        amount, filling = (value.constant if value else None for value in (pad.input(1), pad.input(2)))
        if amount is None or (filling is None and pad.input(2) is not None):
            return None
        widths = [int(width) for width in amount]
        value = 0.0 if filling is None else float(filling)
    else:
        widths, value = pad.attribute("pads", []), pad.attribute("value", 0.0)
    rank = len(widths) // 2
    if value != 0 or rank < 3 or min(widths) < 0 or any(widths[:2]) or any(widths[rank : rank + 2]):
        return None
    return [*widths[2:rank], *widths[rank + 2 :]]


def _can_pad(use: Use, count: int) -> bool:
    reader = use.node
    if use.position != 0 or reader.attribute("auto_pad", b"NOTSET") != b"NOTSET":
        return False
    if reader.is_a("AveragePool"):
        # One that has padding of its own may not count it; with ceil mode the two differ at the end.
        return not any(reader.attribute("pads", [])) and not reader.attribute("ceil_mode", 0)
    return reader.is_a("Conv") and len(reader.attribute("pads", [0] * count)) == count
