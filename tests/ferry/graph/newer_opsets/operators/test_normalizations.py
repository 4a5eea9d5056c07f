import numpy as np
import pytest

from newer_models import assert_close, computed, normal

pytestmark = pytest.mark.fast


def normalised(x, axes, epsilon):
    return (x - x.mean(axis=axes, keepdims=True)) / np.sqrt(x.var(axis=axes, keepdims=True) + epsilon)


@pytest.mark.parametrize(("axis", "axes"), [(-1, (3,)), (2, (2, 3)), (-3, (1, 2, 3))])
def test_layer_normalization(axis, axes):
    x = normal(1, 2, 3, 4, 5)
    scale, bias = normal(2, *x.shape[axis:]), normal(3, *x.shape[axis:])
    constants = {"scale": scale, "bias": bias}
    made = computed("LayerNormalization", 17, {"x": x}, constants, outputs=3, axis=axis, epsilon=0.01)
    assert_close(made[0], normalised(x, axes, 0.01) * scale + bias)
    assert_close(made[1], x.mean(axis=axes, keepdims=True))
    assert_close(made[2], 1 / np.sqrt(x.var(axis=axes, keepdims=True) + 0.01))
    assert_close(
        computed("LayerNormalization", 17, {"x": x, "s": scale}, axis=axis)[0], normalised(x, axes, 1e-5) * scale
    )


def test_rms_normalization():
    x, scale = normal(4, 2, 3, 8), normal(5, 8)
    expected = x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + 1e-6) * scale
    assert_close(computed("RMSNormalization", 23, {"x": x}, {"scale": scale}, epsilon=1e-6)[0], expected)


@pytest.mark.parametrize("opset", [18, 21])
@pytest.mark.parametrize("shape", [(2, 6, 4, 3), (2, 6, 5)])
def test_group_normalization(opset, shape):
    x = normal(6, *shape)
    scale, bias = (normal(seed, 3 if opset < 21 else 6) for seed in (7, 8))
    grouped = normalised(x.reshape(2, 3, -1), (2,), 1e-5).reshape(2, 6, -1)
    by_channel = [np.repeat(each, 6 // len(each)).reshape(1, 6, 1) for each in (scale, bias)]
    expected = (grouped * by_channel[0] + by_channel[1]).reshape(shape)
    made = computed("GroupNormalization", opset, {"x": x}, {"s": scale, "b": bias}, num_groups=3)[0]
    assert_close(made, expected)
    fed = computed("GroupNormalization", opset, {"x": x, "s": scale, "b": bias}, num_groups=3)[0]
    assert_close(fed, expected)
