import numpy as np
import pytest

from converted import run_tflite
from develop.bench import forms

# What a form leaves to the layers beside it is not in its own output.
ELSEWHERE = {"sum of depthwise ones", "ADD, scale in the next weights", "order in the weights"}
CASES = forms.cases()
SMALL = [name for name in CASES if "7x7 by" not in name and "56x56" not in name]


@pytest.mark.parametrize("name", SMALL)
def test_the_forms_of_a_layer_compute_the_same(name):
    case = CASES[name]
    x = np.random.RandomState(1).standard_normal((1, case.size, case.size, case.channels)).astype(np.float32)
    made = {form: run_tflite(forms.to_tflite(case, form), {"x": x})[0] for form in case.forms if form not in ELSEWHERE}
    first = next(iter(made.values()))
    for each in made.values():
        np.testing.assert_allclose(each, first, rtol=0, atol=1e-5 * np.abs(first).max())


def test_the_sum_of_depthwise_convolutions_is_a_grouped_one_with_the_groups_innermost():
    case = forms._grouped(7, 64, 1)
    x = np.random.RandomState(1).standard_normal((1, 7, 7, 64)).astype(np.float32)
    innermost = x.reshape(1, 7, 7, 32, 2).swapaxes(3, 4).reshape(x.shape)
    wanted = run_tflite(forms.to_tflite(case, "32 convolutions"), {"x": x})[0]
    made = run_tflite(forms.to_tflite(case, "sum of depthwise ones"), {"x": np.ascontiguousarray(innermost)})[0]
    np.testing.assert_allclose(made, wanted, rtol=0, atol=1e-5 * np.abs(wanted).max())
