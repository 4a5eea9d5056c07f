import numpy as np
import pytest

from ferry.verify.log_histogram import HIGHEST, LogHistogram

pytestmark = pytest.mark.fast


def histogram(values):
    made = LogHistogram()
    made.add(np.asarray(values, np.float64))
    return made


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e9])
def test_percentiles_are_within_three_percent_of_the_sorted_ones(share, scale):
    values = scale * np.abs(np.random.RandomState(0).standard_normal(200_000))
    assert histogram(values).percentile(share) == pytest.approx(np.quantile(values, share), rel=0.03)


def test_zeros_count_as_the_smallest():
    made = histogram([0.0] * 90 + [5.0] * 10)
    assert made.percentile(0.5) == 0.0
    assert made.percentile(0.95) == pytest.approx(5.0, rel=0.03)
    assert made.small == 90


def test_none_at_all_have_no_percentile_but_zero():
    assert LogHistogram().percentile(0.5) == 0.0
    assert LogHistogram().decades(0.25) == (0.0, [])


def test_two_halves_merge_into_the_whole():
    values = np.abs(np.random.RandomState(0).standard_normal(1000))
    half = histogram(values[:400])
    half.merge(histogram(values[400:]))
    np.testing.assert_array_equal(half.counts, histogram(values).counts)


def test_decades_hold_what_lies_in_them():
    start, counts = histogram([2e-3, 2e-3, 0.5, 20.0]).decades(1.0)
    assert start == -3
    assert counts == [2, 0, 1, 0, 1]


def test_what_is_too_large_for_the_bins_is_in_the_last():
    assert histogram([HIGHEST * 4]).counts[-1] == 1
