import pytest
from onnx import helper

from ferry.lowering import convert_onnx
from ferry.tflite import converter
from ferry.tflite.multiply_adds import multiply_adds
from onnx_models import model_of, normal

CASES = {
    # Each of the 5 x 4 x 4 outputs sums 3 x 3 x 2 products.
    "convolution": ("Conv", [1, 2, 6, 6], (5, 2, 3, 3), {"kernel_shape": [3, 3]}, 5 * 4 * 4 * 3 * 3 * 2),
    "strided": ("Conv", [1, 2, 7, 7], (5, 2, 3, 3), {"kernel_shape": [3, 3], "strides": [2, 2]}, 5 * 3 * 3 * 3 * 3 * 2),
    "depthwise": ("Conv", [1, 4, 6, 6], (4, 1, 3, 3), {"kernel_shape": [3, 3], "group": 4}, 4 * 4 * 4 * 3 * 3),
    "transposed": ("ConvTranspose", [1, 2, 5, 5], (2, 3, 2, 2), {"strides": [2, 2]}, 5 * 5 * 2 * 3 * 4),
    "fully connected": ("Gemm", [2, 7], (7, 3), {}, 2 * 7 * 3),
    "batched": ("MatMul", [2, 3, 4], (2, 4, 5), {}, 2 * 3 * 5 * 4),
    "elementwise": ("Mul", [1, 4], (1, 4), {}, 0),
}  # fmt: skip


@pytest.mark.parametrize("kind", list(CASES))
def test_it_counts_as_one_does_by_hand(kind):
    operator, shape, weights, attributes, expected = CASES[kind]
    node = helper.make_node(operator, ["x", "w"], ["y"], **attributes)
    model = model_of([node], {"x": shape}, {"w": normal(1, *weights)})
    assert multiply_adds(converter.convert(convert_onnx.convert(model))) == expected
