import numpy as np
import pytest

from ferry.errors import UnsupportedModelError
from newer_models import assert_close, computed, normal

pytestmark = pytest.mark.fast

X = normal(1, 1, 2, 4, 6)
OF_IMAGE = ["x", "", "scales", "sizes"]


def resized(opset=19, scales=None, sizes=None, **attributes):
    constants = {}
    if scales is not None:
        constants["scales"] = np.array(scales, np.float32)
    if sizes is not None:
        constants["sizes"] = np.array(sizes, np.int64)
    inputs = [name if name in ("x", *constants) else "" for name in OF_IMAGE]
    return computed("Resize", opset, {"x": X}, constants, inputs=inputs[: 3 + (sizes is not None)], **attributes)[0]


def test_scales_and_sizes():
    expected = X.repeat(2, axis=2).repeat(2, axis=3)
    asymmetric = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    assert_close(resized(13, scales=[1, 1, 2, 2], **asymmetric), expected)
    assert_close(resized(13, sizes=[1, 2, 8, 12], **asymmetric), expected)
    assert_close(resized(18, scales=[2, 2], axes=[2, 3], **asymmetric), expected)
    assert_close(resized(18, sizes=[12, 8], axes=[-1, -2], **asymmetric), expected)


def test_a_kept_aspect_ratio():
    for policy, shape in (("not_larger", (1, 2, 8, 12)), ("not_smaller", (1, 2, 20, 30))):
        assert resized(18, sizes=[20, 12], axes=[2, 3], keep_aspect_ratio_policy=policy).shape == shape


def test_half_pixel_symmetric():
    symmetric = {"mode": "linear", "coordinate_transformation_mode": "half_pixel_symmetric"}
    assert_close(resized(19, scales=[1, 1, 2, 2], **symmetric), resized(13, scales=[1, 1, 2, 2], mode="linear"))
    with pytest.raises(UnsupportedModelError, match="Resize 'it' of opset 19: half_pixel_symmetric differs"):
        resized(19, scales=[1, 1, 1.1, 2], **symmetric)


def test_antialias():
    # Halved, a triangle of width 2 lies over four values, 1 3 3 1, and the edge stands for what lies outside.
    padded = np.pad(X, [(0, 0), (0, 0), (1, 1), (1, 1)], mode="edge")
    rows = sum(weight * padded[:, :, start : start + 4 : 2] for start, weight in enumerate((1, 3, 3, 1))) / 8
    expected = sum(weight * rows[..., start : start + 6 : 2] for start, weight in enumerate((1, 3, 3, 1))) / 8
    assert_close(resized(18, scales=[1, 1, 0.5, 0.5], mode="linear", antialias=1), expected)
    assert_close(resized(18, sizes=[1, 2, 2, 3], mode="linear", antialias=1), expected)


def test_antialias_of_what_grows_changes_nothing():
    for mode in ("linear", "cubic"):
        plain = resized(13, scales=[1, 1, 2, 2], mode=mode)
        np.testing.assert_allclose(resized(18, scales=[1, 1, 2, 2], mode=mode, antialias=1), plain, atol=1e-5)
