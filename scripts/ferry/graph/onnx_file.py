"""Read an ``.onnx`` file, or say in one sentence why it cannot be used."""

from typing import Dict, Set, Tuple

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import numpy_helper

from ferry import regular_file
from ferry.errors import InputFileError, UnsupportedModelError, first_line
from ferry.graph import external_data, onnx_pieces
from ferry.graph.schema import NEWEST_OPSET, OLDEST_OPSET
from ferry.graph.undecodable import first_undecodable


def load(path: str) -> onnx.ModelProto:
    """Read and check the model in ``path``, which is of an opset that the pinned versions know.

    Raises:
        InputFileError: the file is missing, cannot be parsed, or is not a valid ONNX model.
        UnsupportedModelError: its opset is one that the pinned versions do not know.
    """
    model, _ = parse(path)
    opset = opset_of(model)
    if not OLDEST_OPSET <= opset <= NEWEST_OPSET:
        raise UnsupportedModelError(
            f"{path} uses ONNX opset {opset}; ONNX 1.7.0 and onnx-tf 1.6.0 convert {OLDEST_OPSET} to {NEWEST_OPSET}"
        )
    check(path, model)
    return model


def parse(path: str) -> Tuple[onnx.ModelProto, Set[str]]:
    """Read the model in ``path``, of any opset, and the paths of the files that it keeps its tensors in.

    Raises:
        InputFileError: the file is missing, cannot be parsed or holds no graph; or its tensors' files cannot be read.
    """
    try:
        with regular_file.open_for_reading(path) as file:
            data = file.read()
    except OSError as error:
        raise InputFileError(f"cannot read the ONNX model {path}: {error.strerror}") from error
    try:
        model = onnx.load_model_from_string(data)
    except DecodeError as error:
        raise InputFileError(f"{path} is not an ONNX model, or is cut short ({len(data)} bytes)") from error
    size = len(data)
    del data  # It is as large as the model.
    if not model.graph.output:
        raise InputFileError(f"{path} holds no ONNX graph ({size} bytes)")
    name = first_undecodable(model)
    if name is not None:
        raise InputFileError(f"{path} is not a valid ONNX model: its text {name[:60]!r} is not UTF-8")
    return model, external_data.load(path, model)


def check(path: str, model: onnx.ModelProto) -> None:
    """Have ONNX's checker look at the ``model`` that was read from ``path``.

    Raises:
        InputFileError: it is not a valid ONNX model.
    """
    try:
        onnx_pieces.check(model)
    except (onnx.checker.ValidationError, RuntimeError) as error:
        reason = first_line(error)
        raise InputFileError(f"{path} is not a valid ONNX model: {reason}") from error


def opset_of(model: onnx.ModelProto) -> int:
    """The version of the default operator set that ``model`` asks for."""
    versions = [entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")]
    return max(versions, default=1)


def initializers(model: onnx.ModelProto) -> Dict[str, np.ndarray]:
    """The model's initializers by name, as arrays of their own dtype and shape."""
    return {entry.name: numpy_helper.to_array(entry) for entry in model.graph.initializer}
