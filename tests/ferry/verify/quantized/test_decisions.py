"""Wilson's interval, and which flips noise can explain."""

import numpy as np
import pytest

from ferry.verify.quantized.decisions import Z95, DecisionCounter, wilson

pytestmark = pytest.mark.fast


def test_the_ends_of_the_interval_are_where_what_was_seen_is_just_likely_enough():
    for successes, count in ((79, 100), (3, 20), (1, 7)):
        for end in wilson(successes, count):
            off = abs(successes / count - end)
            assert off == pytest.approx(Z95 * (end * (1 - end) / count) ** 0.5)
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(100, 100)[1] == 1.0 and 0.96 < wilson(100, 100)[0] < 0.97


def test_flips_are_split_by_what_noise_can_turn():
    counter = DecisionCounter("scores")
    counter.add(0, np.array([[3.0, 1.0]]), np.array([[2.0, 1.0]]))
    counter.add(1, np.array([[1.1, 1.0]]), np.array([[1.0, 1.1]]))
    counter.add(2, np.array([[9.0, 1.0]]), np.array([[1.0, 9.0]]))
    counter.add(3, np.array([[1.1, 1.0]]), np.array([[1.0, 1.0]]))
    found = counter.findings(noise=0.1)
    assert (found.agreed, found.count, found.sure_flips) == (2, 4, 1)
    assert [(flip.sample, flip.wanted, flip.made) for flip in found.flips] == [(2, 0, 1), (1, 0, 1)]
    assert counter.findings(None).sure_flips == 0
