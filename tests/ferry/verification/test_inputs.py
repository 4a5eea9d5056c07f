import numpy as np
import pytest

from ferry.errors import VerificationError
from ferry.verification.inputs import random_inputs


def test_a_sample_depends_on_its_position_alone():
    example = [np.zeros((2, 3), np.float32)]
    np.testing.assert_array_equal(random_inputs(5, example)[0], random_inputs(5, example)[0])
    assert not np.array_equal(random_inputs(5, example)[0], random_inputs(6, example)[0])


def test_floats_are_standard_normal():
    values = random_inputs(0, [np.zeros(100_000, np.float32)])[0]
    assert values.dtype == np.float32
    assert abs(values.mean()) < 0.02
    assert abs(values.std() - 1) < 0.02


def test_integers_stay_in_the_examples_range():
    example = np.array([3, 9], np.int64)
    drawn = np.concatenate([random_inputs(position, [example])[0] for position in range(100)])
    assert drawn.dtype == np.int64
    assert set(drawn) == set(range(3, 10))


def test_booleans_take_both_values():
    assert set(random_inputs(0, [np.zeros(100, bool)])[0]) == {False, True}


def test_other_dtypes_are_refused():
    with pytest.raises(VerificationError, match="complex64"):
        random_inputs(0, [np.zeros(2, np.complex64)])
