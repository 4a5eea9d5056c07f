import numpy as np
import pytest

from ferry.runtimes import TensorSpec
from ferry.verify.output_errors import OutputErrors
from ferry.verify.output_summary import LONGEST_AXIS, OutputSummary, part_axes

pytestmark = pytest.mark.fast

SCORES = TensorSpec("output", (1, 10), np.dtype(np.float32))
MAP = TensorSpec("output", (1, 3, 4, 5), np.dtype(np.float32))


def measured(spec, made, reference, chunk=None):
    errors = OutputErrors(spec)
    for start in range(0, len(made), chunk or len(made)):
        part = slice(start, start + (chunk or len(made)))
        errors.add(start, made[part], reference[part], made[part])
    return errors


@pytest.fixture()
def normal():
    generator = np.random.RandomState(0)
    return lambda *shape: generator.standard_normal(shape)


def test_the_figures_are_what_they_say(normal):
    reference, made = normal(6, 1, 3, 4, 5), normal(6, 1, 3, 4, 5)
    errors = measured(MAP, made, reference)
    differences = np.abs(made - reference)
    assert errors.reference.mean == pytest.approx(differences.mean())
    assert errors.reference.largest == differences.max()
    assert errors.reference.worst_sample == np.unravel_index(differences.argmax(), differences.shape)[0]
    assert errors.float32.largest == 0
    np.testing.assert_allclose(errors.part_means(1), differences.mean(axis=(0, 1, 3, 4)))
    np.testing.assert_allclose(errors.part_means(3), differences.mean(axis=(0, 1, 2, 3)))
    mean_square = np.square(made - reference).mean()
    assert errors.psnr(7.0) == pytest.approx(10 * np.log10(49 / mean_square))
    rows = zip(made.reshape(6, -1), reference.reshape(6, -1))
    cosines = [one @ other / np.linalg.norm(one) / np.linalg.norm(other) for one, other in rows]
    assert errors.cosines / errors.directions == pytest.approx(np.mean(cosines))
    assert errors.lowest_cosine == pytest.approx(min(cosines))


@pytest.mark.parametrize("merged", [False, True])
def test_chunks_and_merges_make_no_difference(normal, merged):
    reference, made = normal(7, 1, 10), normal(7, 1, 10)
    whole = measured(SCORES, made, reference)
    if merged:
        parts = OutputErrors(SCORES)
        parts.add(4, made[4:], reference[4:], made[4:])
        parts.merge(measured(SCORES, made[:4], reference[:4]))
    else:
        parts = measured(SCORES, made, reference, chunk=3)
    for name in ("mean", "p999", "largest", "worst_sample"):
        assert getattr(parts.reference, name) == pytest.approx(getattr(whole.reference, name))
    np.testing.assert_allclose(parts.part_means(1), whole.part_means(1))
    np.testing.assert_allclose(parts.by_magnitude, whole.by_magnitude)
    assert (parts.scored, parts.top1, parts.top5) == (whole.scored, whole.top1, whole.top5)
    assert parts.lowest_cosine == whole.lowest_cosine


def test_agreement_of_the_best_and_of_the_five_best():
    reference = np.arange(10.0)[np.newaxis, np.newaxis].repeat(4, axis=0)
    made = reference.copy()
    made[1, 0, [8, 9]] = 9, 8  # another best, the same five
    made[2, 0, 0] = 8.5  # the same best, another five
    errors = measured(SCORES, made, reference)
    assert (errors.scored, errors.top1, errors.top5) == (4, 3, 3)


def test_errors_are_told_by_the_magnitude_they_befell():
    reference = np.array([[[1e-3, 2.0, 2.5] + [0.0] * 7]])
    made = reference + np.array([[[1e-6, 1e-2, 3e-2] + [0.0] * 7]])
    found = {entry.log10_from: entry for entry in measured(SCORES, made, reference).magnitudes()}
    assert found[-3.0].max_abs_error == pytest.approx(1e-6)
    assert found[0.0].count == 2
    assert found[0.0].mean_abs_error == pytest.approx(2e-2)


def test_of_equally_bad_samples_the_first_is_the_worst():
    reference = np.zeros((5, 1, 10))
    made = reference.copy()
    made[[2, 4], 0, 0] = 1
    assert measured(SCORES, made, reference).reference.worst_sample == 2
    assert measured(SCORES, made, reference, chunk=1).reference.worst_sample == 2


def test_what_is_not_finite_is_noted_and_not_counted():
    made = np.zeros((2, 1, 10))
    made[1, 0, 0] = np.inf
    errors = measured(SCORES, made, np.zeros((2, 1, 10)), chunk=1)
    assert not errors.finite
    assert errors.reference.count == 10


def test_the_axes_of_channels():
    assert part_axes((1, 1000)) == [1]
    assert part_axes((1, 3, 4, 5)) == [1, 3]
    assert part_axes((1, 1, 7)) == [2]
    assert part_axes((5,)) == part_axes(()) == []
    assert part_axes((1, LONGEST_AXIS + 1)) == []


def test_a_summary_knows_scale_range_and_spread(normal):
    values = normal(5, 1, 3, 4, 5)
    summary = OutputSummary(MAP, values[0])
    summary.add(values[:2])
    other = OutputSummary(MAP, values[0])
    other.add(values[2:])
    summary.merge(other)
    assert summary.samples == 5
    assert summary.magnitude == pytest.approx(np.abs(values).mean())
    assert summary.range() == pytest.approx(np.ptp(values))
    assert summary.spread == pytest.approx(np.abs(values - values[0]).max())
    np.testing.assert_allclose(summary.part_magnitudes(1), np.abs(values).mean(axis=(0, 1, 3, 4)))
