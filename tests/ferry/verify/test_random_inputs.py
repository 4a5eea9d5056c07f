import numpy as np
import pytest

from ferry.errors import VerificationError
from ferry.verify.integer_span import IndexRange
from ferry.verify.random_inputs import STANDARD_NORMAL, Distribution, describe, draw, is_distribution, parse

pytestmark = pytest.mark.fast


def values(example, position=0, distribution=STANDARD_NORMAL):
    return draw(position, [example], distribution)[0]


def test_a_sample_depends_on_its_position_alone():
    example = np.zeros((2, 3), np.float32)
    np.testing.assert_array_equal(values(example, 5), values(example, 5))
    assert not np.array_equal(values(example, 5), values(example, 6))


def test_floats_are_standard_normal():
    drawn = values(np.zeros(100_000, np.float32))
    assert drawn.dtype == np.float32
    assert abs(drawn.mean()) < 0.02
    assert abs(drawn.std() - 1) < 0.02


def test_or_what_the_user_asks_for():
    example = np.zeros(100_000, np.float32)
    uniform = values(example, distribution=parse("uniform:-2:3"))
    assert -2 <= uniform.min() < -1.99
    assert 2.99 < uniform.max() <= 3
    normal = values(example, distribution=parse("normal:5:0.1"))
    assert abs(normal.mean() - 5) < 0.01
    assert abs(normal.std() - 0.1) < 0.01
    assert parse("uniform") == Distribution("uniform", 0, 1)


@pytest.mark.parametrize(
    "text", ["uniform:3:1", "normal:0:0", "uniform:a:b", "normal:1", "uniform:0:inf", "normal:0:1:2"]
)
def test_what_is_no_distribution_is_refused(text):
    assert is_distribution(text)
    with pytest.raises(VerificationError, match="is no distribution: it is normal:MEAN:DEVIATION"):
        parse(text)


def test_a_file_is_no_distribution():
    assert not is_distribution("uniform_noise.npz")


def test_integers_stay_in_the_examples_range():
    example = np.array([3, 9], np.int64)
    drawn = np.concatenate([values(example, position) for position in range(100)])
    assert drawn.dtype == np.int64
    assert set(drawn) == set(range(3, 10))


def test_indices_are_drawn_from_the_whole_table_and_the_first_sample_is_the_example():
    examples = [np.array([3, 4], np.int32), np.zeros(2, np.float32)]
    ranges = [IndexRange(0, 40), None]
    drawn = [draw(position, examples, STANDARD_NORMAL, ranges=ranges) for position in range(300)]
    for array, example in zip(drawn[0], examples):
        np.testing.assert_array_equal(array, example)
    assert {int(value) for each in drawn for value in each[0]} == set(range(41))
    assert drawn[1][0].dtype == np.int32 and drawn[1][1].any()
    assert (
        describe("a", examples[0], STANDARD_NORMAL, ranges[0]) == "a from 0 to 40, the rows of the table that it reads"
    )


def test_booleans_take_both_values():
    assert set(values(np.zeros(100, bool))) == {False, True}


def test_other_dtypes_are_refused():
    with pytest.raises(VerificationError, match="complex64"):
        values(np.zeros(2, np.complex64))


def test_the_range_is_stated():
    assert describe("a", np.zeros(2, np.float32), STANDARD_NORMAL) == "a N(0, 1)"
    assert describe("a", np.zeros(2, np.float32), parse("uniform:0:255")) == "a uniform in 0 to 255"
    assert describe("a", np.array([3, 9]), STANDARD_NORMAL) == "a from 3 to 9"
