"""What a piece is given: the same each time, beyond what was seen, every row of a table, and every weight."""

import numpy as np
import pytest

from ferry.verify.pieces.probes import SEEN, Request, probes

pytestmark = pytest.mark.fast


def _request(seen, fixed=(), tables=None, terms=0, positions=1, elementwise=False):
    return Request(seen, set(fixed), tables or {}, terms, positions, elementwise)


X = np.random.RandomState(0).standard_normal((1, 40, 6, 6)).astype(np.float32)


def test_the_values_seen_come_first_and_the_rest_is_the_same_each_time():
    first, again = ([probe.values["x"] for probe in probes("t", _request({"x": X}, terms=90))] for _ in range(2))
    assert np.array_equal(first[0], X)
    assert len(first) == len(again) and all(np.array_equal(*pair) for pair in zip(first, again))
    assert [array.dtype for array in first] == [np.float32] * len(first)


def test_they_go_beyond_what_was_seen_on_both_sides_and_hold_zero_and_halves():
    mixed = next(p.values["x"] for p in probes("t", _request({"x": X}, elementwise=True)) if p.kind != SEEN)
    width = np.abs(X).max()
    assert mixed.max() > 20 * width and mixed.min() < -20 * width
    assert (mixed == 0).any() and (np.abs(mixed) < 1e-3 * width).any()
    assert ((mixed * 2) % 1 == 0).mean() > 0.2


def test_sparse_ones_meet_every_element_where_each_is_used_once():
    x = np.ones((1, 1280), np.float32)
    made = [p.values["x"] for p in probes("t", _request({"x": x}, terms=1280)) if p.kind.startswith("values most")]
    assert np.sum([array != 0 for array in made], axis=0).min() >= 1
    assert max(np.count_nonzero(array) for array in made) <= 64


def test_every_row_of_a_table_is_read():
    tokens = np.zeros((1, 7), np.int64)
    request = _request({"tokens": tokens}, fixed=["tokens"], tables={"tokens": 30})
    read = {int(index) for probe in probes("t", request) for index in probe.values["tokens"].ravel()}
    assert read == set(range(30))


def test_an_index_stays_what_the_network_makes_it():
    index = np.array([3, 1], np.int64)
    for probe in probes("t", _request({"index": index, "x": X}, fixed=["index"])):
        assert np.array_equal(probe.values["index"], index)
