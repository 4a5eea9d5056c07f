"""Any permutation of any number of axes, in transposes of five axes at most."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferry.lowering.axis_order import MOST_AXES, steps

pytestmark = pytest.mark.fast


@st.composite
def permuted(draw):
    rank = draw(st.integers(1, 8))
    sizes = draw(st.lists(st.integers(1, 3), min_size=rank, max_size=rank))
    return sizes, draw(st.permutations(range(rank)))


def applied(x, sizes, permutation):
    made = x
    for step in steps(sizes, permutation):
        assert len(step.permutation) <= MOST_AXES
        made = made.reshape(step.shape).transpose(step.permutation)
    return made.reshape([sizes[axis] for axis in permutation])


@given(permuted())
def test_the_steps_are_the_permutation(case):
    sizes, permutation = case
    x = np.arange(np.prod(sizes)).reshape(sizes)
    np.testing.assert_array_equal(applied(x, sizes, permutation), x.transpose(permutation))


@pytest.mark.parametrize(
    ("sizes", "permutation", "count"),
    [
        ([1, 4, 7, 4, 7, 96], [0, 1, 3, 2, 4, 5], 1),
        ([2, 8, 2, 2, 5, 5], [0, 1, 4, 2, 5, 3], 1),
        ([1, 1, 1, 1, 1, 5], [5, 4, 3, 2, 1, 0], 0),
        ([2, 3, 2, 3, 2, 3], [5, 4, 3, 2, 1, 0], 2),
    ],
)
def test_there_are_no_more_steps_than_needed(sizes, permutation, count):
    assert len(steps(sizes, permutation)) == count
