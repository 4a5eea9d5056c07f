"""The first step from which on nothing agrees."""

import numpy as np
import pytest

from ferry.verify.given_file.first_difference import Known, Step, first_fault, nearest

pytestmark = pytest.mark.fast
# A chain with a branch: 0 is the input, 5 the output.
STEPS = [
    Step(0, "CONV_2D", [0], [1]),
    Step(1, "MUL", [1], [2]),
    Step(2, "ADD", [2], [3]),
    Step(3, "RELU", [1], [4]),
    Step(4, "CONCATENATION", [3, 4], [5]),
]
ALL = {1, 2, 3, 4, 5}


def test_what_is_computed_on_the_way_is_right_where_something_after_it_agrees():
    assert first_fault(STEPS, {1, 3, 4, 5}, ALL) is None


def test_the_first_that_is_followed_by_nothing_that_agrees_is_at_fault():
    fault = first_fault(STEPS, {1, 4}, ALL)
    assert fault is not None
    assert fault.operator == "MUL"
    assert nearest(STEPS, fault, {1, 4}) == {1}


def test_a_tensor_that_cannot_be_judged_is_not_blamed():
    fault = first_fault(STEPS, {1, 4}, {3, 5})
    assert fault is not None
    assert fault.operator == "ADD"
    assert nearest(STEPS, fault, {1, 4}) == {1}


def test_tensors_are_known_in_any_order_of_their_values():
    random = np.random.RandomState(0)
    array = random.standard_normal((1, 3, 4, 4)).astype(np.float32)
    known = Known({"there": array, "constant": np.ones(48, np.float32)})
    assert known.name_of(array.transpose(0, 2, 3, 1)) == "there"
    assert known.name_of(array * 1.01) is None
    assert known.name_of(np.ones(48, np.float32)) is None
