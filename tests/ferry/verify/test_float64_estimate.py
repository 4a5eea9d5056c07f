"""When a random share of the samples in float64 says what all of them would, and when it must not be believed."""

import numpy as np
import pytest

from ferry.runtimes import TensorSpec
from ferry.verify import criterion, float64_share
from ferry.verify.float64_estimate import Estimate
from ferry.verify.output_errors import OutputErrors
from ferry.verify.output_summary import OutputSummary

pytestmark = pytest.mark.fast

COUNT, ROUNDING = 600, 1e-5
SPEC = TensorSpec("output", (1, 120), np.dtype(np.float32))
TAKEN = np.array(sorted(float64_share.positions(COUNT, float64_share.SAMPLES)))
LEFT = np.array(sorted(set(range(COUNT)) - set(TAKEN)))


class Case:
    """PyTorch in both precisions, and a stage whose error is ``times`` PyTorch's rounding."""

    def __init__(self, times=1.2, spec=SPEC, rounding=ROUNDING):
        generator = np.random.RandomState(3)
        self.spec = spec
        self.wide = generator.standard_normal((COUNT, *spec.shape))
        self.narrow = self.wide + rounding * generator.standard_normal(self.wide.shape)
        self.made = self.wide + times * rounding * generator.standard_normal(self.wide.shape)

    def estimate(self, rows=TAKEN, tolerance=None):
        summary = OutputSummary(self.spec, self.wide[0])
        summary.add(self.wide)
        noise, errors = OutputErrors(self.spec), OutputErrors(self.spec)
        noise.add(0, self.narrow, self.wide[rows], self.narrow, rows)
        errors.add(0, self.made, self.wide[rows], self.narrow, rows)
        return Estimate(summary, noise, errors, tolerance, COUNT)

    def passes(self, rows=TAKEN, tolerance=None):
        """The verdict by the samples ``rows`` in float64."""
        estimate = self.estimate(rows, tolerance)
        return criterion.judge(estimate.summary, estimate.noise, estimate.errors, tolerance).fault is None


ALL = np.arange(COUNT)


@pytest.mark.parametrize("times", [0.3, 1.0, 1.3])
def test_what_rounds_as_pytorch_does_is_decided(times):
    case = Case(times)
    assert case.estimate().decides and case.passes() and case.passes(ALL)


@pytest.mark.parametrize("times", [1.95, 2.05])
def test_what_is_near_the_limit_is_not(times):
    assert not Case(times).estimate().decides


@pytest.mark.parametrize("times", [2.6, 100.0])
def test_what_is_wrong_throughout_is_decided_and_fails(times):
    case = Case(times)
    assert case.estimate().decides and not case.passes() and not case.passes(ALL)


def planted(kind):
    """A stage with a fault on samples that were not run in float64 alone."""
    case = Case(1.0)
    if kind == "one value":
        case.made[LEFT[7], 0, 3] += 110 * ROUNDING
    elif kind == "a tail":
        case.made[LEFT[::5], 0, 0] += 14 * ROUNDING
    elif kind == "a mean":
        case.made[LEFT] += 2.5 * ROUNDING * np.sign(case.made[LEFT] - case.wide[LEFT])
    elif kind == "a class":
        for array in (case.wide, case.narrow):
            array[..., :15] /= 50
        case.made[..., :15] = case.wide[..., :15]
        case.made[LEFT, :, :15] += 3 * ROUNDING
    return case


@pytest.mark.parametrize("kind", ["one value", "a tail", "a mean", "a class"])
def test_a_fault_that_the_share_does_not_show_is_not_passed(kind):
    case = planted(kind)
    assert case.passes() and not case.passes(ALL)
    assert not case.estimate().decides


def test_with_all_samples_in_float64_nothing_is_left_to_chance():
    estimate = Case(1.9).estimate(ALL)
    assert estimate.noise.from_reference.standard_error(COUNT) == 0
    assert estimate.errors.float32.mean + estimate.errors.beyond_float32.mean == pytest.approx(
        estimate.errors.reference.mean
    )


def test_a_limit_of_the_users_own_does_not_hang_on_the_noise_floor():
    assert Case(1.9).estimate(tolerance=4e-5).decides
    assert not planted("a mean").estimate(tolerance=2.2e-5).decides


def test_integers_must_be_pytorchs_on_every_sample():
    spec = SPEC._replace(dtype=np.dtype(np.int64))
    case = Case(spec=spec)
    case.wide = case.narrow = np.arange(COUNT * 120).reshape(COUNT, 1, 120)
    case.made = case.wide.copy()
    assert case.estimate().decides
    case.made[LEFT[3], 0, 5] += 1
    assert not case.estimate().decides


def test_the_share_is_drawn_once_and_holds_the_first():
    assert 0 in TAKEN and len(TAKEN) == float64_share.SAMPLES
    assert float64_share.positions(COUNT, 9) == float64_share.positions(COUNT, 9)
    assert float64_share.positions(5, 9) == float64_share.positions(5, None) == set(range(5))
