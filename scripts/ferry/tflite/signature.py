"""Give a ``.tflite`` the signature by whose names newer runtimes call it.

TF 2.4's converter writes none, and its schema has no field for one. ``get_signature_runner()`` of the newest runtimes
needs one; older runtimes ignore it.
"""

import struct
from typing import Any, Dict, List

import flatbuffers
import tflite as schema

from ferry.tflite.flatbuffer import IDENTIFIER

# The key under which converters since TF 2.5 put the one signature of a model.
KEY = "serving_default"
# The fields of the table of a model by their places in today's schema; TF 2.4's ends before the signatures.
_VERSION, _SIGNATURES, _FIELDS = 0, 7, 8
# Weights lie at multiples of this in the file, and have to lie so still.
_ALIGNMENT = 16


def prefix(data: bytes) -> bytes:
    """What to put before the model ``data``, so that the two together are the model with a signature.

    The names of the signature are those of the model's inputs and outputs. Offsets in a flatbuffer only lead forward,
    so the new table of the model stands first, and refers to the parts of the old one.
    """
    table = schema.Model.GetRootAsModel(data, 0)._tab
    old = {field: table.Offset(4 + 2 * field) for field in range(_SIGNATURES)}
    builder = flatbuffers.Builder(1024)
    signatures = _signatures(builder, schema.Model.GetRootAsModel(data, 0).Subgraphs(0))
    builder.StartObject(_FIELDS)
    builder.PrependUOffsetTRelativeSlot(_SIGNATURES, signatures, 0)
    for field, offset in reversed(list(old.items())):
        if offset:
            # Where the part lies is known when the length of this is; a value that is no default keeps its place.
            value = table.Get(flatbuffers.number_types.Uint32Flags, table.Pos + offset) if field == _VERSION else 1
            builder.PrependUint32Slot(field, value, 0)
    builder.Finish(builder.EndObject(), IDENTIFIER)
    made = bytearray(builder.Output())
    made.extend(bytes(-len(made) % _ALIGNMENT))
    new = schema.Model.GetRootAsModel(made, 0)._tab
    for field, offset in old.items():
        if offset and field != _VERSION:
            part = table.Indirect(table.Pos + offset)
            place = new.Pos + new.Offset(4 + 2 * field)
            struct.pack_into("<I", made, place, len(made) + part - place)
    return bytes(made)


def read(data: bytes) -> Dict[str, Dict[str, List[str]]]:
    """The names of the ``inputs`` and ``outputs`` of each signature, by its key."""
    model = schema.Model.GetRootAsModel(data, 0)._tab
    found = {}
    for signature in _tables(model, _SIGNATURES):
        key = signature.String(signature.Pos + signature.Offset(8)).decode()
        found[key] = {
            kind: [entry.String(entry.Pos + entry.Offset(4)).decode() for entry in _tables(signature, place)]
            for place, kind in enumerate(("inputs", "outputs"))
        }
    return found


def _signatures(builder: flatbuffers.Builder, graph: schema.SubGraph) -> int:
    inputs = _names(builder, graph, [graph.Inputs(place) for place in range(graph.InputsLength())])
    outputs = _names(builder, graph, [graph.Outputs(place) for place in range(graph.OutputsLength())])
    key = builder.CreateString(KEY)
    builder.StartObject(5)
    for place, part in enumerate((inputs, outputs, key)):
        builder.PrependUOffsetTRelativeSlot(place, part, 0)
    return _vector(builder, [builder.EndObject()])


def _names(builder: flatbuffers.Builder, graph: schema.SubGraph, tensors: List[int]) -> int:
    entries = []
    for tensor in tensors:
        name = builder.CreateString(graph.Tensors(tensor).Name())
        builder.StartObject(2)
        builder.PrependUOffsetTRelativeSlot(0, name, 0)
        builder.PrependUint32Slot(1, tensor, 0)
        entries.append(builder.EndObject())
    return _vector(builder, entries)


def _vector(builder: flatbuffers.Builder, parts: List[int]) -> int:
    builder.StartVector(4, len(parts), 4)
    for part in reversed(parts):
        builder.PrependUOffsetTRelative(part)
    return builder.EndVector(len(parts))


def _tables(holder: Any, field: int) -> List[Any]:
    offset = holder.Offset(4 + 2 * field)
    if not offset:
        return []
    start, count = holder.Vector(offset), holder.VectorLen(offset)
    return [flatbuffers.table.Table(holder.Bytes, holder.Indirect(start + 4 * place)) for place in range(count)]
