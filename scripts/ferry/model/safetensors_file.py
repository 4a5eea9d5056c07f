"""Read a ``.safetensors`` file: a header in JSON, and the bytes of each tensor. Nothing in it is run.

The format is that of https://github.com/huggingface/safetensors: the header's length in eight bytes, the header, which
has the dtype, the shape and the place of each tensor, and the data.
"""

import json
import struct
from typing import IO, Any, Dict

import numpy as np
import torch

from ferry import regular_file
from ferry.errors import InputFileError

SUFFIX = ".safetensors"
MOST_HEADER_BYTES = 100_000_000
DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1",
    "U8": "u1", "BOOL": "?",
}  # fmt: skip


def load(path: str) -> Dict[str, torch.Tensor]:
    """The tensors in ``path`` by their names; what is bfloat16 there is float32.

    Raises:
        InputFileError: the file is missing, damaged, or has a dtype that no weight has.
    """
    try:
        with regular_file.open_for_reading(path) as file:
            header, begins = _header(path, file)
            return {name: _tensor(path, file, begins, name, held) for name, held in header.items()}
    except OSError as error:
        raise InputFileError(f"cannot read the weights {path}: {error.strerror}") from error
    except (ValueError, TypeError, KeyError, AttributeError, struct.error) as error:
        raise InputFileError(f"{path} is damaged, or is no {SUFFIX} file ({error})") from error


def _header(path: str, file: IO[bytes]) -> Any:
    (size,) = struct.unpack("<Q", file.read(8))
    if size > MOST_HEADER_BYTES:
        raise InputFileError(f"{path} is damaged, or is no {SUFFIX} file: its header would be of {size} bytes")
    header = json.loads(file.read(size).decode())
    header.pop("__metadata__", None)
    return header, 8 + size


def _tensor(path: str, file: IO[bytes], begins: int, name: str, held: Dict[str, Any]) -> torch.Tensor:
    start, end = held["data_offsets"]
    if held["dtype"] not in DTYPES:
        raise InputFileError(f"{path}: {name} is of {held['dtype']}; Ferry loads {', '.join(DTYPES)}")
    kind = np.dtype(DTYPES[held["dtype"]])
    shape = [int(size) for size in held["shape"]]
    wanted = int(np.prod(shape, dtype=np.int64)) * kind.itemsize
    if end - start != wanted or start < 0:
        raise ValueError(f"{name} is not of {wanted} bytes")
    file.seek(begins + start)
    data = bytearray(file.read(wanted))
    if len(data) < wanted:
        raise ValueError(f"it ends in {name}")
    array = np.frombuffer(data, kind).reshape(shape)
    if held["dtype"] == "BF16":
        # Half of a float32: its upper bits.
        array = (array.astype(np.uint32) << 16).view(np.float32)
    return torch.from_numpy(array)
