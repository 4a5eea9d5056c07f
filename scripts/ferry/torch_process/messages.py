"""Messages between two interpreters over a pipe: a JSON object and arrays. Nothing is ever unpickled.

A message is the length of its head in eight bytes, the head in JSON, and the bytes of each array that the head
describes. Both interpreters import this, each with a NumPy of its own, whose pickles differ.
"""

import json
import struct
from typing import IO, Any, Dict, List, NamedTuple, Sequence

import numpy as np

ARRAYS = "arrays"
# What a tensor's elements may be; objects are none of them.
KINDS = "fiub"


class Message(NamedTuple):
    """What was said, and the arrays that came with it."""

    said: Dict[str, Any]
    arrays: List[np.ndarray]


class Garbled(ValueError):
    """What came is no message."""


def send(file: IO[bytes], said: Dict[str, Any], arrays: Sequence[np.ndarray] = ()) -> None:
    """Write a message. ``said`` holds what JSON can."""
    described = [{"dtype": array.dtype.str, "shape": list(array.shape)} for array in arrays]
    head = json.dumps({**said, ARRAYS: described}).encode()
    file.write(struct.pack("<Q", len(head)) + head)
    for array in arrays:
        file.write(array.tobytes())
    file.flush()


def receive(file: IO[bytes]) -> Message:
    """Read a message.

    Raises:
        EOFError: the other side has ended.
        Garbled: it said something else.
    """
    (size,) = struct.unpack("<Q", _exactly(file, 8))
    try:
        said = json.loads(_exactly(file, size).decode())
        arrays = [_array(file, each["dtype"], each["shape"]) for each in said.pop(ARRAYS)]
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, MemoryError) as error:
        raise Garbled(str(error)) from error
    return Message(said, arrays)


def _array(file: IO[bytes], dtype: str, shape: Sequence[int]) -> np.ndarray:
    kind = np.dtype(dtype)
    if kind.kind not in KINDS:
        raise ValueError(f"an array of {kind}")
    count = int(np.prod(shape, dtype=np.int64))
    return np.frombuffer(bytearray(_exactly(file, count * kind.itemsize)), kind).reshape(shape)


def _exactly(file: IO[bytes], size: int) -> bytes:
    data = file.read(size)
    if len(data) < size:
        raise EOFError
    return data
