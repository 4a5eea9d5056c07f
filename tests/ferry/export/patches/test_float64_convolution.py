import pytest
import torch
from torch.nn import functional

from ferry.export.patches import float64_convolution


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "dilation", "bias"),
    [
        ((3, 3), 1, 1, 1, True),
        ((3, 3), 2, 1, 1, False),
        ((3, 5), (2, 1), (0, 2), (1, 2), True),
        ((2, 2), 1, 0, 2, False),
        ((1, 7), (3,), (3,), (1,), True),
    ],
)
def test_it_is_the_convolution(kernel, stride, padding, dilation, bias, dtype):
    torch.manual_seed(0)
    x, weight = torch.randn(2, 6, 15, 13).to(dtype), torch.randn(6, 1, *kernel).to(dtype)
    offset = torch.randn(6).to(dtype) if bias else None
    wanted = functional.conv2d(x, weight, offset, stride, padding, dilation, 6)
    with float64_convolution.used():
        made = functional.conv2d(x, weight, offset, stride, padding, dilation, 6)
    assert made.shape == wanted.shape
    assert made.dtype == dtype
    assert torch.allclose(made, wanted, rtol=0, atol=1e-14 if dtype == torch.float64 else 0)


@pytest.mark.parametrize(("channels", "outputs", "groups"), [(4, 8, 4), (4, 4, 1), (4, 4, 2)])
def test_what_is_not_depthwise_is_left_to_pytorch(monkeypatch, channels, outputs, groups):
    called = []
    monkeypatch.setattr(float64_convolution, "_by_taps", lambda *_: called.append(1))
    x, weight = torch.randn(1, channels, 5, 5).double(), torch.randn(outputs, channels // groups, 3, 3).double()
    wanted = functional.conv2d(x, weight, groups=groups)
    with float64_convolution.used():
        assert torch.equal(functional.conv2d(x, weight, groups=groups), wanted)
    assert not called


def test_pytorch_is_itself_again_afterwards():
    before = functional.conv2d
    with pytest.raises(ZeroDivisionError), float64_convolution.used():
        raise ZeroDivisionError
    assert functional.conv2d is before
