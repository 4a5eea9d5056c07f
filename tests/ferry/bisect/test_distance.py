import numpy as np
import pytest

from ferry.bisect.distance import distance, is_fault, rounding

pytestmark = pytest.mark.fast

ONES = np.ones((2, 5), np.float32)


def test_it_is_relative_to_the_wanted_tensors_scale():
    assert distance(ONES * 1.5, ONES) == pytest.approx(0.5)
    assert distance(ONES * 1.5e-9, ONES * 1e-9) == pytest.approx(0.5)


def test_one_value_among_many_counts_by_its_size():
    wanted = np.ones(10_000)
    made = wanted.copy()
    made[7] += 1
    assert distance(made, wanted) == pytest.approx(1 / 25)


def test_another_shape_or_a_nan_is_infinitely_far():
    assert distance(ONES[:1], ONES) == float("inf")
    made = ONES.copy()
    made[0, 0] = np.nan
    assert distance(made, ONES) == float("inf")
    assert distance(made, made) == 0


def test_integers_do_not_round():
    wanted = np.full(10_000_000, 10**6)
    made = wanted.copy()
    made[0] += 1
    assert is_fault(made, wanted)
    assert not is_fault(wanted, wanted)
    assert not is_fault(ONES * np.float32(1 + 1e-6), ONES)


def test_what_cancels_rounds_by_more():
    values = {"x": np.random.RandomState(0).standard_normal(1000).astype(np.float32)}
    assert rounding(lambda given: given["x"] * 2, values) < 1e-5
    # The sum of what is left after the mean was taken off is nearly nothing, and all of it rounding.
    centred = {"x": values["x"] - values["x"].mean()}
    assert rounding(lambda given: given["x"].sum(keepdims=True), centred) > 1e-3
