"""The forms that TFLite 2.4 can be given of what it has no kernel for, to choose between by measurement.

Each case is one layer of a real network; each of its forms computes the same, but for the order of its sums.
"""

from typing import Callable, Dict, NamedTuple

import numpy as np
import tensorflow as tf

# Size, channels and stride.
RESNEXT50 = [(56, 128, 1), (56, 256, 2), (28, 256, 1), (28, 512, 2), (14, 512, 1), (14, 1024, 2), (7, 1024, 1)]
Form = Callable[[tf.Tensor], tf.Tensor]


class Case(NamedTuple):
    """A layer that reads (1, size, size, channels), and its forms by name; the first is the plainest."""

    size: int
    channels: int
    forms: Dict[str, Form]


def cases() -> Dict[str, Case]:
    """ResNeXt50's grouped convolutions, and one layer each of what else can be written in more than one way."""
    made = {}
    for size, channels, stride in RESNEXT50:
        name = f"{channels} channels in 32 groups at {size}x{size}{' by 2' if stride > 1 else ''}"
        made[name] = _grouped(size, channels, stride)
    made["3x3 by 2 of 96 channels apart at 112x112"] = _padded(112, 96, True)
    made["7x7 by 2 of 3 channels at 224x224"] = _padded(224, 3, False)
    made["batch norm and ReLU of 256 channels at 28x28"] = _normalised(28, 256)
    made["average and 1x1 of 768 channels at 17x17"] = _averaged(17, 768, 192)
    made["half of 232 channels and a shuffle at 14x14"] = _shuffled(14, 232)
    return made


def to_tflite(case: Case, form: str) -> bytes:
    """One of the case's forms as a TFLite model."""
    with tf.Graph().as_default():
        x = tf.compat.v1.placeholder(tf.float32, [1, case.size, case.size, case.channels], name="x")
        y = tf.identity(case.forms[form](x), name="y")
        with tf.compat.v1.Session() as session:
            return tf.compat.v1.lite.TFLiteConverter.from_session(session, [x], [y]).convert()


def _weights(*shape: int) -> np.ndarray:
    return np.random.RandomState(0).standard_normal(shape).astype(np.float32)


def _finished(y: tf.Tensor) -> tf.Tensor:
    return tf.nn.relu(tf.nn.bias_add(y, _weights(y.shape[-1])))


def _pad(x: tf.Tensor, width: int) -> tf.Tensor:
    return tf.pad(x, [(0, 0), (width, width), (width, width), (0, 0)])


def _grouped(size: int, channels: int, stride: int, groups: int = 32) -> Case:
    width = channels // groups
    kernel = _weights(3, 3, width, channels)

    def parts(together: int) -> Form:
        def convolve(x: tf.Tensor) -> tf.Tensor:
            made = []
            for position, part in enumerate(tf.split(_padded_by(x), groups // together, -1)):
                wide = np.zeros((3, 3, width * together, width * together), np.float32)
                for inner in range(together):
                    own, start = slice(inner * width, (inner + 1) * width), (position * together + inner) * width
                    wide[:, :, own, own] = kernel[..., start : start + width]
                bias = _weights(channels)[position * together * width :][: together * width]
                made.append(tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(part, wide, stride, _mode()), bias)))
            return tf.concat(made, -1) if len(made) > 1 else made[0]

        return convolve

    def depthwise(x: tf.Tensor) -> tf.Tensor:
        # With the groups innermost, which the convolution before can see to: one slab a channel of a group.
        by_group = kernel.reshape(3, 3, width, groups, width)
        slabs = tf.split(_padded_by(x), width, -1)
        filters = [np.ascontiguousarray(by_group[:, :, position]) for position in range(width)]
        strides = [1, stride, stride, 1]
        sums = [tf.nn.depthwise_conv2d(slab, weights, strides, _mode()) for slab, weights in zip(slabs, filters)]
        total = sums[0]
        for each in sums[1:]:
            total = total + each
        return _finished(total)

    def products(x: tf.Tensor) -> tf.Tensor:
        reach = (size - 1) // stride + 1
        moved = tf.transpose(tf.reshape(_pad(x, 1), [size + 2, size + 2, groups, width]), [2, 0, 1, 3])
        span = stride * (reach - 1) + 1
        windows = [moved[:, a : a + span : stride, b : b + span : stride] for a in range(3) for b in range(3)]
        rows = tf.reshape(tf.concat(windows, -1), [groups, reach * reach, 9 * width])
        by_group = np.ascontiguousarray(kernel.reshape(9 * width, groups, width).transpose(1, 0, 2))
        made = tf.transpose(tf.matmul(rows, by_group), [1, 0, 2])
        return _finished(tf.reshape(made, [1, reach, reach, channels]))

    def _padded_by(x: tf.Tensor) -> tf.Tensor:
        return _pad(x, 1) if stride > 1 else x

    def _mode() -> str:
        return "VALID" if stride > 1 else "SAME"

    return Case(
        size,
        channels,
        {
            "32 convolutions": parts(1),
            "16, of two groups each": parts(2),
            "8, of four": parts(4),
            "one, dense": parts(groups),
            "sum of depthwise ones": depthwise,
            "batched products": products,
        },
    )


def _padded(size: int, channels: int, apart: bool) -> Case:
    reach = 3 if apart else 7
    kernel = _weights(reach, reach, channels, 1 if apart else 64)
    wide = np.pad(kernel, [(0, 1), (0, 1), (0, 0), (0, 0)])

    def convolve(x: tf.Tensor, weights: np.ndarray, mode: str) -> tf.Tensor:
        if apart:
            return _finished(tf.nn.depthwise_conv2d(x, weights, [1, 2, 2, 1], mode))
        return _finished(tf.nn.conv2d(x, weights, 2, mode))

    forms: Dict[str, Form] = {
        "PAD": lambda x: convolve(_pad(x, reach // 2), kernel, "VALID"),
        "zeros in the kernel": lambda x: convolve(x, wide, "SAME"),
    }
    return Case(size, channels, forms)


def _normalised(size: int, channels: int) -> Case:
    factor, shift = np.abs(_weights(channels)), _weights(channels)
    forms: Dict[str, Form] = {
        "MUL and ADD": lambda x: tf.nn.relu(x * factor + shift),
        "depthwise 1x1": lambda x: tf.nn.relu(
            tf.nn.bias_add(tf.nn.depthwise_conv2d(x, factor.reshape(1, 1, -1, 1), [1, 1, 1, 1], "VALID"), shift)
        ),
        "ADD, scale in the next weights": lambda x: tf.nn.relu(x + shift),
    }
    return Case(size, channels, forms)


def _averaged(size: int, channels: int, filters: int) -> Case:
    kernel = _weights(1, 1, channels, filters)

    def depthwise(x: tf.Tensor) -> tf.Tensor:
        ninths = np.full((3, 3, int(x.shape[-1]), 1), 1 / 9, np.float32)
        return tf.nn.depthwise_conv2d(x, ninths, [1, 1, 1, 1], "SAME")

    forms: Dict[str, Form] = {
        "PAD, average, convolution": lambda x: _finished(
            tf.nn.conv2d(tf.nn.avg_pool2d(_pad(x, 1), 3, 1, "VALID"), kernel, 1, "VALID")
        ),
        "depthwise average, convolution": lambda x: _finished(tf.nn.conv2d(depthwise(x), kernel, 1, "VALID")),
        "convolution, depthwise average": lambda x: _finished(depthwise(tf.nn.conv2d(x, kernel, 1, "VALID"))),
    }
    return Case(size, channels, forms)


def _shuffled(size: int, channels: int) -> Case:
    kernel = _weights(1, 1, channels // 2, channels // 2)

    def unit(x: tf.Tensor) -> tf.Tensor:
        kept, other = tf.split(x, 2, -1)
        return tf.concat([kept, _finished(tf.nn.conv2d(other, kernel, 1, "VALID"))], -1)

    order = np.arange(channels).reshape(2, -1).T.ravel().astype(np.int32)
    return Case(size, channels, {"GATHER": lambda x: tf.gather(unit(x), order, axis=-1), "order in the weights": unit})
