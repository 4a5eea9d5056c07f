"""What is said over the pipe arrives as it was sent, and what is no message is told from one."""

import io
import json
import struct

import numpy as np
import pytest

from ferry.torch_process import messages

pytestmark = pytest.mark.fast

ARRAYS = [
    np.float32(3.5).reshape(()),
    np.arange(6, dtype=np.int64).reshape(2, 3),
    np.array([[True], [False]]),
    np.zeros((0, 4), np.float64),
    np.arange(12, dtype=np.float32).reshape(3, 4).T,
]


def sent(said, arrays=()):
    file = io.BytesIO()
    messages.send(file, said, arrays)
    return file.getvalue()


def test_a_message_arrives_as_it_was_sent():
    file = io.BytesIO(sent({"ask": "run", "ü": [1, None]}, ARRAYS) + sent({}))
    first, second = messages.receive(file), messages.receive(file)
    assert first.said == {"ask": "run", "ü": [1, None]}
    for array, arrived in zip(ARRAYS, first.arrays):
        assert (arrived.dtype, arrived.shape) == (array.dtype, array.shape)
        assert np.array_equal(arrived, array)
        assert arrived.flags.writeable
    assert second == ({}, [])


@pytest.mark.parametrize("length", [0, 5, 20, -1])
def test_one_that_is_cut_short_is_an_end(length):
    with pytest.raises(EOFError):
        messages.receive(io.BytesIO(sent({"a": 1}, ARRAYS)[:length]))


@pytest.mark.parametrize(
    "head",
    [
        b"no json",
        b"[]",
        b"{}",
        json.dumps({"arrays": [{"dtype": "|O", "shape": [1]}]}).encode(),
        json.dumps({"arrays": [{"dtype": "<f4", "shape": "x"}]}).encode(),
        json.dumps({"arrays": [{"shape": [1]}]}).encode(),
    ],
)
def test_what_is_no_message_is_garbled(head):
    with pytest.raises(messages.Garbled):
        messages.receive(io.BytesIO(struct.pack("<Q", len(head)) + head + bytes(64)))
