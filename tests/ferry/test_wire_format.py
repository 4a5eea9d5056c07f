import io

import pytest
from google.protobuf.message import DecodeError

from ferry import wire_format
from ferry.wire_format import FIXED32, FIXED64, VARINT, WITH_LENGTH

pytestmark = pytest.mark.fast

MESSAGE = (
    b"\x08\x96\x01"  # 1: 150
    + wire_format.head(2, 7)
    + b"testing"
    + b"\x19" + bytes(8)  # 3: eight bytes
    + b"\x25" + bytes(4)  # 4: four bytes
    + wire_format.head(16, 300)
    + bytes(300)
)  # fmt: skip


def read(data):
    return list(wire_format.fields(io.BytesIO(data), 0, len(data)))


def test_fields_are_found_without_their_contents():
    found = read(MESSAGE)
    assert [(field.number, field.wire_type) for field in found] == [
        (1, VARINT), (2, WITH_LENGTH), (3, FIXED64), (4, FIXED32), (16, WITH_LENGTH)
    ]  # fmt: skip
    text = found[1]
    assert MESSAGE[text.content : text.end] == b"testing"
    assert found[-1].end - found[-1].content == 300
    assert [field.start for field in found[1:]] == [field.end for field in found[:-1]]


@pytest.mark.parametrize("length", [2, 3 + 1, 3 + 5, len(MESSAGE) - 1])
def test_a_message_that_is_cut_short_is_none(length):
    with pytest.raises(DecodeError):
        read(MESSAGE[:length])


@pytest.mark.parametrize("data", [b"\x0b", b"\x80" * 11, b"\x0f\x01"])
def test_what_is_no_message_is_none(data):
    with pytest.raises(DecodeError):
        read(data)
