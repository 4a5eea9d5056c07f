"""Tensors that an ONNX model keeps in other files, which ONNX calls external data: PyTorch's usual form today."""

import os
from typing import Dict, Iterator, Set

import onnx

from ferry import regular_file
from ferry.errors import InputFileError


def load(path: str, model: onnx.ModelProto) -> Set[str]:
    """Read into ``model``, in place, what the file ``path`` that it came from keeps in other files.

    Returns:
        The paths of these files.

    Raises:
        InputFileError: one does not lie below the model's folder, cannot be read, or is shorter than the model says.
    """
    folder = os.path.dirname(path)
    files: Dict[str, bytes] = {}
    for tensor in tensors_of(model.graph):
        if tensor.data_location != onnx.TensorProto.EXTERNAL:
            continue
        given = {entry.key: entry.value for entry in tensor.external_data}
        location = given.get("location", "")
        if location not in files:
            files[location] = _read(path, folder, location)
        tensor.raw_data = _part(path, tensor.name, files[location], given)
        tensor.data_location = onnx.TensorProto.DEFAULT
        del tensor.external_data[:]
    return {os.path.join(folder, location) for location in files}


def tensors_of(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    """Every constant of a graph: initializers, and attributes of its nodes and of its subgraphs' nodes."""
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
            for inner in [attribute.g] if attribute.HasField("g") else attribute.graphs:
                yield from tensors_of(inner)


def _read(path: str, folder: str, location: str) -> bytes:
    if not location or os.path.isabs(location) or os.pardir in location.replace("\\", "/").split("/"):
        raise InputFileError(f"{path} keeps tensors in {location!r}, which is no file below the model's own folder")
    try:
        with regular_file.open_for_reading(os.path.join(folder, location)) as file:
            return file.read()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "that is no name of a file"
        raise InputFileError(
            f"{path} keeps tensors in {location!r} beside it, and that cannot be read: {reason}"
        ) from error


def _part(path: str, name: str, data: bytes, given: Dict[str, str]) -> bytes:
    try:
        offset = int(given.get("offset") or 0)
        length = int(given.get("length") or len(data) - offset)
    except ValueError as error:
        raise InputFileError(f"{path}: where {name!r} lies in {given['location']!r} is no number") from error
    if not 0 <= offset <= offset + length <= len(data):
        raise InputFileError(f"{path}: {given['location']!r} holds {len(data)} bytes, and {name!r} reaches beyond them")
    return data[offset : offset + length]
