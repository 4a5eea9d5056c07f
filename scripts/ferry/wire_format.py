"""Protobuf's wire format, as far as a large field is written and skipped without the message around it in memory.

https://protobuf.dev/programming-guides/encoding says what it is.
"""

from typing import BinaryIO, Iterator, NamedTuple

from google.protobuf.message import DecodeError

# The wire types: a number, eight bytes, what has a length, four bytes.
VARINT, FIXED64, WITH_LENGTH, FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10


class Field(NamedTuple):
    """A field of a message in a file: its number, and where it, its content and the field behind it begin."""

    number: int
    wire_type: int
    start: int
    content: int
    end: int


def head(field: int, size: int) -> bytes:
    """What stands before the ``size`` bytes of the field number ``field``."""
    return varint(field << 3 | WITH_LENGTH) + varint(size)


def varint(number: int) -> bytes:
    """``number``, which is not negative, in as many bytes as it takes."""
    made = bytearray()
    while number > 0x7F:
        made.append(number & 0x7F | 0x80)
        number >>= 7
    made.append(number)
    return bytes(made)


def fields(file: BinaryIO, start: int, end: int) -> Iterator[Field]:
    """The fields of the message that is the bytes ``start`` to ``end`` of ``file``; their contents are not read.

    Raises:
        DecodeError: there is no such message.
    """
    position = start
    while position < end:
        file.seek(position)
        key = _read_varint(file)
        kind = key & 7
        content = file.tell()
        if kind == VARINT:
            _read_varint(file)
            after = file.tell()
        elif kind == WITH_LENGTH:
            size = _read_varint(file)
            content = file.tell()
            after = content + size
        elif kind in (FIXED32, FIXED64):
            after = content + (4 if kind == FIXED32 else 8)
        else:
            raise DecodeError(f"wire type {kind}")
        if after > end:
            raise DecodeError("a field that is longer than its message")
        yield Field(key >> 3, kind, position, content, after)
        position = after


def _read_varint(file: BinaryIO) -> int:
    number = 0
    for position in range(_LONGEST_VARINT):
        byte = file.read(1)
        if not byte:
            break
        number |= (byte[0] & 0x7F) << 7 * position
        if byte[0] < 0x80:
            return number
    raise DecodeError("a number that is cut short")
