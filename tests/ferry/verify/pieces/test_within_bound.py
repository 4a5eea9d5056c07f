"""What counts as within the bound, and what nothing is said of."""

import numpy as np
import pytest

from ferry.evaluate.bounded import Bounded
from ferry.verify.pieces.within_bound import compare

pytestmark = pytest.mark.fast

EXPECTED = Bounded(np.array([1.0, -2.0, 3.0]), np.array([1e-6, 1e-6, 1e-6]))


def test_what_is_within_the_bound_is_right():
    found = compare(np.array([1.0, -2.0, 3.0 + 9e-7], np.float64), EXPECTED)
    assert not found.wrong
    assert found.share == pytest.approx(4.5e-7)
    assert found.resolution == pytest.approx(5e-7)


def test_one_value_beyond_it_is_wrong():
    found = compare(np.array([1.0, -2.0, 3.0001]), EXPECTED)
    assert found.wrong
    assert found.excess == pytest.approx(100)


@pytest.mark.parametrize("made", [np.array([1.0, -2.0, np.nan]), np.array([1.0, np.inf, 3.0]), np.zeros((3, 1))])
def test_nan_infinity_and_another_shape_are_wrong(made):
    assert compare(made, EXPECTED).wrong


def test_where_the_bound_is_infinite_nothing_is_said():
    expected = Bounded(np.array([1.0, np.nan, np.inf]), np.array([np.inf, 0.0, 0.0]))
    assert not compare(np.array([7.0, 7.0, 7.0]), expected).wrong
    assert compare(np.array([7.0, 7.0, 7.0]), expected, infinities=True).wrong
    assert not compare(np.array([7.0, 7.0, np.inf]), expected, infinities=True).wrong


def test_an_integer_may_differ_by_nothing():
    assert compare(np.array([1, 3]), Bounded(np.array([1, 2]))).wrong
    assert not compare(np.array([1, 2]), Bounded(np.array([1, 2]))).wrong
