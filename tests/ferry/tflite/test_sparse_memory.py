import numpy as np
import pytest

from ferry.tflite import sparse_memory

pytestmark = pytest.mark.fast

SIZE = 256 << 20


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


def test_what_is_not_written_takes_no_room_where_it_is_read_either():
    before = resident()
    memory = sparse_memory.reserve(SIZE)
    memory[SIZE // 2 : SIZE // 2 + 4] = b"held"
    assert not np.frombuffer(memory, np.uint8, 1 << 24).any()
    target = sparse_memory.reserve(SIZE)
    sparse_memory.write(target, 0, np.frombuffer(memory, np.uint8))
    assert bytes(target[SIZE // 2 : SIZE // 2 + 5]) == b"held\0"
    assert resident() - before < SIZE // 8


def test_only_the_ranges_are_copied():
    made = sparse_memory.copy(b"abcdefgh", [(0, 2), (5, 8)])
    assert bytes(made) == b"ab\0\0\0fgh"
