import numpy as np
import pytest

from ferry.runtimes import TensorSpec
from ferry.verification import criterion
from ferry.verification.errors_against import Errors, Reference

SPEC = TensorSpec("output", (1, 4), np.dtype(np.float32))
ALLOWED = criterion.tolerances(None, 1)


def judged(*errors, scale=1.0):
    """The verdict on outputs that are off by ``errors``, one a sample, in one element of four."""
    reference = Reference([SPEC])
    measured = Errors(reference)
    for sample, error in enumerate(errors):
        expected = (np.array([[1.0, -1.0, 1.0, -1.0]]) * (1 + sample) * scale).astype(np.float64)
        reference.add([expected])
        output = expected.copy()
        output[0, 0] += error
        measured.add([output], [expected])
    return criterion.value_fault(measured, reference, ALLOWED), measured


def test_the_tolerance_is_relative_to_the_outputs_scale():
    within = 0.9 * 4 * ALLOWED[0].mean
    for scale in (1e-3, 1.0, 1e3):
        assert judged(within * scale, scale=scale)[0] is None
        assert "in the mean" in judged(1.2 * within * scale, scale=scale)[0]


def test_one_wrong_value_among_many_fails_by_the_maximum():
    fault, measured = judged(*[0.0] * 999, 0.2)
    assert measured.relative()[0] < ALLOWED[0].mean
    assert "at worst" in fault


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_and_infinity_fail(value):
    assert "NaN or infinity" in judged(0.0, value)[0]


def test_the_figures_are_what_they_say():
    _, measured = judged(0.4, -0.8)
    assert measured.means() == [pytest.approx(0.15)]
    assert measured.maxima == [pytest.approx(0.8)]
    assert measured.relative() == [pytest.approx(0.1)]


def test_top1_agreement():
    assert judged(0.0, -5.0)[1].top1_agreement() == 0.5


def test_the_articles_figure_counts_with_its_headroom():
    assert criterion.tolerances([1e-7], 1)[0].mean == pytest.approx(4e-6)
    assert criterion.tolerances(None, 2) == criterion.tolerances([0.0, 0.0], 2)


def test_a_model_that_rounds_by_more_is_allowed_more():
    assert criterion.tolerances([1e-7, 1e-5], 2)[1].mean == pytest.approx(4e-5)


def test_but_never_more_than_a_thousandth():
    assert criterion.tolerances([0.5], 1)[0].mean == 1e-3


def test_integers_do_not_round():
    reference = Reference([SPEC._replace(dtype=np.dtype(np.int64))])
    errors = Errors(reference)
    for output in (10**6, 2 * 10**6):
        expected = np.full((1, 4), output)
        reference.add([expected])
        errors.add([expected + 1], [expected])
    assert "does not round, and differs" in criterion.value_fault(errors, reference, ALLOWED)


def spec(**changes):
    return SPEC._replace(**changes)


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ([], "its outputs are named nothing; PyTorch's are output"),
        ([spec(name="other", shape=(9,))], "its outputs are named other; PyTorch's are output"),
        ([spec(shape=(1, 5))], r"output output has shape \[1, 5\]; PyTorch's has \[1, 4\]"),
        ([spec(dtype=np.dtype(np.int64))], "output output has dtype int64; PyTorch's has float32"),
    ],
)
def test_names_then_shapes_then_dtypes(found, message):
    with pytest.raises(AssertionError, match=message):
        fault = criterion.interface_fault(found, [SPEC], "output")
        assert fault is None, fault


def test_the_same_interface_has_no_fault():
    assert criterion.interface_fault([spec(shape=(-1, 4))], [SPEC], "output") is None


def reference_of(*outputs):
    reference = Reference([SPEC])
    for output in outputs:
        reference.add([np.full((1, 4), output, np.float32)])
    return reference


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ([1e-10, 2e-10], "too small to mean anything"),
        ([0.0, 0.0], "too small to mean anything"),
        ([3.0, 3.0, 3.0], "the same for every input"),
        ([1.0, np.nan], "NaN or infinity"),
        ([1000.0, 1000.1], "hardly depends on the input"),
    ],
)
def test_a_vacuous_reference_is_found_out(outputs, message):
    assert message in criterion.vacuous(reference_of(*outputs), ALLOWED)


@pytest.mark.parametrize("outputs", [[1.0, 2.0], [5.0], [1e-5, 2e-5]])
def test_a_good_one_is_not(outputs):
    assert criterion.vacuous(reference_of(*outputs), ALLOWED) is None
