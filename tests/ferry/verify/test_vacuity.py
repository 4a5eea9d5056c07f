import numpy as np
import pytest

from ferry.runtimes import TensorSpec
from ferry.verify import vacuity
from ferry.verify.output_errors import OutputErrors
from ferry.verify.output_summary import OutputSummary

pytestmark = pytest.mark.fast

SPEC = TensorSpec("output", (1, 4), np.dtype(np.float32))


def reason(*outputs, dtype=np.float32):
    spec = SPEC._replace(dtype=np.dtype(dtype))
    arrays = np.array([np.full((1, 4), output) if np.isscalar(output) else [output] for output in outputs], dtype)
    summary, noise = OutputSummary(spec, arrays[0]), OutputErrors(spec)
    summary.add(arrays)
    if summary.finite:
        noise.add(0, arrays, arrays, arrays)
    return vacuity.reason([summary], [noise])


@pytest.mark.parametrize(
    ("outputs", "message", "remedy"),
    [
        ([1e-10, 2e-10], "too small to mean anything", "its trained weights"),
        ([0.0, 0.0], "too small to mean anything", "its trained weights"),
        ([3.0, 3.0, 3.0], "the same for every input", "INPUTS="),
        ([1.0, np.nan], "NaN or infinity", "INPUTS="),
        ([1000.0, 1000.01], "hardly depends on the input", "Take the large constant part out"),
        ([[1, 0, 0, 0], [0, 1, 1e-9, 0], [0, 0, 1, 0]], "a saturated softmax", "Return the logits"),
    ],
)
def test_a_vacuous_reference_is_found_out_and_a_remedy_given(outputs, message, remedy):
    assert message in reason(*outputs)
    assert remedy in reason(*outputs)


@pytest.mark.parametrize(
    "outputs",
    [[1.0, 2.0], [1e-5, 2e-5], [[0.97, 0.01, 0.01, 0.01], [0.1, 0.2, 0.3, 0.4]], [[2, 0, 0, 0], [0, 2, 0, 0]]],
)
def test_a_good_one_is_not(outputs):
    assert reason(*outputs) is None


def test_integers_have_no_scale():
    assert reason([0, 0, 0, 0], [0, 0, 0, 1], dtype=np.int64) is None
    assert "the same for every input" in reason([7, 7, 7, 7], [7, 7, 7, 7], dtype=np.int64)


def test_an_output_without_elements_proves_nothing():
    spec = SPEC._replace(shape=(1, 0))
    summary = OutputSummary(spec, np.zeros((1, 0)))
    summary.add(np.zeros((3, 1, 0)))
    assert "has no elements" in vacuity.reason([summary], None)
