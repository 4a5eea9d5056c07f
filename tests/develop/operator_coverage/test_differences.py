import numpy as np
import pytest

from develop.operator_coverage.differences import differences

ONES = np.ones([2, 3], np.float32)


@pytest.mark.parametrize(
    ("made", "expected", "told"),
    [
        ([ONES], [ONES], ""),
        ([ONES * (1 + 1e-6)], [ONES], ""),
        ([ONES * 1.001], [ONES], "6 of 6 values differ"),
        ([ONES[:1]], [ONES], "shape (1, 3) instead of (2, 3)"),
        ([ONES.astype(int)], [ONES], "int64 instead of float32"),
        ([], [ONES], "0 outputs instead of 1"),
        ([ONES * np.nan], [ONES], "6 of 6 values differ"),
        ([ONES * np.nan], [ONES * np.nan], ""),
        ([ONES * -np.inf], [ONES * np.inf], "6 of 6 values differ"),
        ([np.array([1, 2])], [np.array([1, 3])], "1 of 2 values differ"),
        ([np.array([True])], [np.array([False])], "1 of 1 values differ"),
    ],
)
def test_differences(made, expected, told):
    assert differences(made, expected) == told
