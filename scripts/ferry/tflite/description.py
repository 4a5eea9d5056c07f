"""Say in a ``.tflite`` itself what it was built from, in the place that the schema has for a description."""

import json
import struct
from typing import Any, Dict, List

import numpy as np
import tflite as schema

from ferry.tflite import schema_names

# Where the description stands in the table of a model, as the generated reader has it.
FIELD = 10


def with_description(data: bytes, onnx_sha256: str, lock_sha256: str, versions: Dict[str, str], **more: str) -> bytes:
    """The same model with a description; see :func:`append`."""
    made = bytearray(data)
    text = append(memoryview(made), onnx_sha256, lock_sha256, versions, **more)
    return bytes(made) + text


def append(data: memoryview, onnx_sha256: str, lock_sha256: str, versions: Dict[str, str], **more: str) -> bytes:
    """Point the model ``data``, in place, to a description, and return that: it is to stand behind the model.

    It says what its inputs and outputs are, and the digests and versions that decide its bytes. ``more`` is what else
    there is to say of it, by name. Behind all else in the file it leaves what the model computes with where it is, and
    as aligned.
    """
    held = {
        "made_by": "Ferry",
        "model_onnx_sha256": onnx_sha256,
        "lock_sha256": lock_sha256,
        "versions": {name: version for name, version in versions.items() if name != "python"},
        **more,
        **tensors(data),
    }
    text = json.dumps(held, sort_keys=True, ensure_ascii=True, separators=(",", ":")).encode()
    table = schema.Model.GetRootAsModel(data, 0)._tab
    field = table.Offset(FIELD)
    if not field:
        return b""
    field += table.Pos
    padding = bytes(-len(data) % 4)
    struct.pack_into("<I", data, field, len(data) + len(padding) - field)
    return padding + struct.pack("<I", len(text)) + text + bytes(4 - len(text) % 4)


def read(data: bytes) -> Dict[str, Any]:
    """What ``with_description`` wrote; empty for a file that Ferry did not make."""
    try:
        held = json.loads(schema.Model.GetRootAsModel(data, 0).Description() or b"")
    except ValueError:
        return {}
    return held if isinstance(held, dict) and held.get("made_by") == "Ferry" else {}


def tensors(data: bytes) -> Dict[str, List[Dict[str, Any]]]:
    """The ``inputs`` and ``outputs``, each with its name, shape and dtype."""
    graph = schema.Model.GetRootAsModel(data, 0).Subgraphs(0)

    def described(index: int) -> Dict[str, Any]:
        tensor = graph.Tensors(index)
        shape = tensor.ShapeAsNumpy()
        sizes = shape.tolist() if isinstance(shape, np.ndarray) else []
        return {"name": tensor.Name().decode(), "shape": sizes, "dtype": schema_names.DTYPES[tensor.Type()]}

    return {
        "inputs": [described(graph.Inputs(position)) for position in range(graph.InputsLength())],
        "outputs": [described(graph.Outputs(position)) for position in range(graph.OutputsLength())],
    }
