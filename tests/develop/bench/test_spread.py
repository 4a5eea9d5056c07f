import pytest

from develop.bench import spread

pytestmark = pytest.mark.fast


def test_a_spread_is_the_median_and_the_percentiles():
    assert spread.of([float(value) for value in range(101)]) == spread.Spread(median=50.0, p10=10.0, p90=90.0)
    assert spread.of([3.0]) == spread.Spread(3.0, 3.0, 3.0)


def test_ratios_are_taken_round_by_round():
    # In the second round the machine was busy, for both.
    ratios = spread.of_ratios([1.0, 50.0, 1.2], [2.0, 100.0, 2.4])
    assert ratios == pytest.approx((0.5, 0.5, 0.5))


def test_series_of_different_rounds_are_not_compared():
    with pytest.raises(ValueError, match="2 samples against 3"):
        spread.of_ratios([1.0, 2.0], [1.0, 2.0, 3.0])


def test_plain_values_keep_six_digits():
    assert spread.of([1 / 3]).as_dictionary() == {"median": 0.333333, "p10": 0.333333, "p90": 0.333333}
