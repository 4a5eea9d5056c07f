import numpy as np
import pytest
from onnx import TensorProto

from ferry.errors import UnsupportedModelError
from newer_models import assert_close, computed, normal

pytestmark = pytest.mark.fast


def ints(*values):
    return np.array(values, np.int64)


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({}, [2, 3, 4]),
        ({"start": 1}, [3, 4]),
        ({"start": -1}, [4]),
        ({"end": -1}, [2, 3]),
        ({"start": 2, "end": 1}, []),
    ],
)
def test_shape(attributes, expected):
    made = computed("Shape", 15, {"x": normal(1, 2, 3, 4)}, element=TensorProto.INT64, **attributes)[0]
    assert made.tolist() == expected


def test_reshape_with_allowzero():
    x = normal(2, 2, 6)
    assert computed("Reshape", 14, {"x": x}, {"s": ints(3, -1)}, allowzero=1)[0].shape == (3, 4)
    with pytest.raises(UnsupportedModelError, match=r"Reshape 'it' of opset 14: with allowzero .* shape \[0, 4\]"):
        computed("Reshape", 14, {"x": x}, {"s": ints(0, 4)}, allowzero=1)


@pytest.mark.parametrize("diagonal", [None, 0, 1, -2, 9])
@pytest.mark.parametrize("upper", [0, 1])
def test_trilu(upper, diagonal):
    x = normal(3, 2, 4, 5)
    x[0, 0, 0] = -np.inf
    constants = {} if diagonal is None else {"k": np.array(diagonal, np.int64)}
    expected = (np.triu if upper else np.tril)(np.ones((4, 5), bool), diagonal or 0)
    assert_close(computed("Trilu", 14, {"x": x}, constants, upper=upper)[0], np.where(expected, x, 0))


def test_trilu_of_truth():
    made = computed("Trilu", 14, {"x": np.ones((3, 3), bool)}, upper=0, element=TensorProto.BOOL)[0]
    assert made.tolist() == np.tril(np.ones((3, 3), bool)).tolist()


def test_center_crop_pad():
    x = normal(4, 5, 4, 3)
    made = computed("CenterCropPad", 18, {"x": x}, {"s": ints(2, 7)}, axes=[0, 2])[0]
    expected = np.zeros((2, 4, 7), np.float32)
    expected[:, :, 2:5] = x[1:3]
    assert_close(made, expected)


def test_pad_of_some_axes_and_around():
    x = normal(5, 2, 3, 4)
    constants = {"p": ints(1, 2), "v": np.array(7, np.float32), "a": ints(-1)}
    expected = np.pad(x, [(0, 0), (0, 0), (1, 2)], constant_values=7)
    assert_close(computed("Pad", 18, {"x": x}, constants)[0], expected)
    around = computed("Pad", 19, {"x": x}, {"p": ints(0, 1, 4, 0, 2, 3)}, mode="wrap")[0]
    assert_close(around, np.pad(x, [(0, 0), (1, 2), (4, 3)], mode="wrap"))


def test_cast_like_and_depth():
    made = computed("CastLike", 15, {"x": normal(6, 3)}, {"like": ints(1)}, element=TensorProto.INT64)[0]
    assert made.dtype == np.int64
    x = normal(7, 1, 2, 4, 6)
    expected = x.reshape(1, 2, 2, 2, 3, 2).transpose(0, 1, 3, 5, 2, 4).reshape(1, 8, 2, 3)
    assert_close(computed("SpaceToDepth", 28, {"x": x}, blocksize=2, mode="CRD")[0], expected)
