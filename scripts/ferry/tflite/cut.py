"""The same ``.tflite`` with other inputs, outputs or operators: only the lists in its subgraph's table change."""

import struct
from typing import Dict, List, Optional, Sequence, Union

import tflite as schema

# Where the schema puts these in a subgraph's table.
_INPUTS, _OUTPUTS, _OPERATORS = 6, 8, 10


def cut(
    data: bytes,
    operators: Optional[Sequence[int]] = None,
    inputs: Optional[Sequence[int]] = None,
    outputs: Optional[Sequence[int]] = None,
) -> bytes:
    """The model ``data`` with no operators but these, and these tensors for its inputs and outputs, all by position.

    What is ``None`` stays as it is. An operator or tensor keeps its position.
    """
    graph = schema.Model.GetRootAsModel(data, 0).Subgraphs(0)
    table = graph._tab
    # One copy of the weights, and not two: the changes by where they go, and what comes behind all else.
    changes: Dict[int, bytes] = {}
    added = bytearray(-len(data) % 4)
    for field, tensors in ((_INPUTS, inputs), (_OUTPUTS, outputs)):
        if tensors is not None:
            # An offset points forward only, which the end of the file always is.
            where = table.Pos + table.Offset(field)
            changes[where] = struct.pack("<I", len(data) + len(added) - where)
            added.extend(struct.pack(f"<I{len(tensors)}i", len(tensors), *tensors))
    if operators is not None:
        first = table.Vector(table.Offset(_OPERATORS))
        changes[first - 4] = struct.pack("<I", len(operators))
        for place, position in enumerate(operators):
            where = first + 4 * place
            changes[where] = struct.pack("<I", graph.Operators(position)._tab.Pos - where)
    pieces: List[Union[bytes, bytearray, memoryview]] = []
    end, view = 0, memoryview(data)
    for where, change in sorted(changes.items()):
        pieces += [view[end:where], change]
        end = where + len(change)
    return b"".join([*pieces, view[end:], added])
