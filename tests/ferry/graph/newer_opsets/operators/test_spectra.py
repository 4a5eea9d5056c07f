import numpy as np
import pytest

from ferry.errors import UnsupportedModelError
from newer_models import assert_close, computed, normal

pytestmark = pytest.mark.fast


def parts(complex_array):
    return np.stack([complex_array.real, complex_array.imag], axis=-1).astype(np.float32)


@pytest.mark.parametrize(("length", "cut"), [(None, 6), (4, 4), (9, 9)])
def test_of_a_real_signal(length, cut):
    x = normal(1, 2, 6, 3, 1)
    constants = {} if length is None else {"n": np.array(length, np.int64)}
    made = computed("DFT", 17, {"x": x}, constants)[0]
    assert_close(made, parts(np.fft.fft(x[..., 0], cut, axis=1)))
    onesided = computed("DFT", 17, {"x": x}, constants, onesided=1)[0]
    assert_close(onesided, parts(np.fft.rfft(x[..., 0], cut, axis=1)))


def test_of_a_complex_one_and_back():
    x = normal(2, 2, 3, 8, 2)
    numbers = x[..., 0] + 1j * x[..., 1]
    assert_close(computed("DFT", 20, {"x": x})[0], parts(np.fft.fft(numbers, axis=-1)))
    axis = {"axis": np.array(1, np.int64)}
    made = computed("DFT", 20, {"x": x}, axis, inputs=["x", "", "axis"], inverse=1)[0]
    assert_close(made, parts(np.fft.ifft(numbers, axis=1)))


@pytest.mark.parametrize("windowed", [True, False])
def test_short_time(windowed):
    x, window = normal(3, 2, 40), np.hanning(16).astype(np.float32)
    constants = {"step": np.array(8, np.int64), "w": window, "n": np.array(16, np.int64)}
    inputs = ["x", "step", "w"] if windowed else ["x", "step", "", "n"]
    made = computed("STFT", 17, {"x": x}, {name: constants[name] for name in inputs[1:] if name}, inputs=inputs)[0]
    frames = np.stack([x[:, start : start + 16] for start in range(0, 25, 8)], axis=1)
    assert_close(made, parts(np.fft.rfft(frames * (window if windowed else 1))))


def test_frames_that_do_not_fit_are_refused():
    constants = {"step": np.array(8, np.int64), "w": np.ones(99, np.float32)}
    with pytest.raises(UnsupportedModelError, match="STFT 'it' of opset 17: its frames of 99 every 8 values"):
        computed("STFT", 17, {"x": normal(4, 2, 40)}, constants)
