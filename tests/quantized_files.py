"""Quantized files of small networks, made by TensorFlow's own converter."""

from typing import Callable, Dict, List

import numpy as np
import tensorflow as tf

SAMPLES = 20


def by_function(function: Callable, shape: List[int], inputs: List[np.ndarray]) -> Dict[str, bytes]:
    """``float``, ``float16``, ``dynamic`` and ``int8`` of a function of one tensor; ``inputs`` calibrate the last."""
    signature = [tf.TensorSpec(shape, tf.float32, name="input")]
    traced = tf.function(function, input_signature=signature).get_concrete_function()
    return {
        kind: _converted(tf.lite.TFLiteConverter.from_concrete_functions([traced]), kind, inputs)
        for kind in ("float", "float16", "dynamic", "int8")
    }


def of_graph(path: str, names, kind: str, inputs: List[np.ndarray], integers: bool = False) -> bytes:
    """The frozen graph in ``path``, with inputs and outputs of these ``names``, quantized."""
    converter = tf.compat.v1.lite.TFLiteConverter.from_frozen_graph(path, *names)
    if integers:
        converter.inference_input_type = converter.inference_output_type = tf.int8
    return _converted(converter, kind, inputs)


def _converted(converter, kind: str, inputs: List[np.ndarray]) -> bytes:
    if kind != "float":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if kind == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if kind == "int8":
        converter.representative_dataset = lambda: ([each] for each in inputs)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    return converter.convert()


def drawn(shape: List[int], seed: int, count: int = SAMPLES) -> List[np.ndarray]:
    """Inputs between 0 and 1, with another brightness each, as images have."""
    generator = np.random.RandomState(seed)
    return [(generator.rand(*shape) * generator.uniform(0.3, 1)).astype(np.float32) for _ in range(count)]


def _weights(generator: np.random.RandomState, *shape: int) -> tf.Tensor:
    fan = float(np.prod(shape[:-1])) if len(shape) > 1 else 4.0
    return tf.constant((generator.standard_normal(shape) / np.sqrt(fan)).astype(np.float32))


def classifier(x: tf.Tensor) -> List[tf.Tensor]:
    """Of [1, 3, 16, 16]: convolutions, a residual, pools, and most of the operators that int8 has."""
    g = np.random.RandomState(0)
    x = tf.transpose(x, [0, 2, 3, 1])
    first = tf.nn.relu6(tf.nn.conv2d(x, _weights(g, 3, 3, 3, 8), 1, "SAME") + 2 * _weights(g, 8))
    second = tf.nn.relu(tf.nn.depthwise_conv2d(first, _weights(g, 3, 3, 8, 1) * 3, [1] * 4, "SAME") + _weights(g, 8))
    y = tf.nn.max_pool2d(first + second, 2, 2, "VALID")
    z = tf.concat([y, tf.nn.sigmoid(y), tf.nn.leaky_relu(y - 2.0), tf.tanh(y)], -1)
    z = z * tf.nn.relu6(z + 3) / 6
    z = tf.nn.avg_pool2d(tf.pad(z, [[0, 0], [1, 1], [1, 1], [0, 0]]), 2, 2, "VALID")
    one, other = tf.split(z, 2, -1)
    mean = tf.reduce_mean(one * other - one, [1, 2])
    logits = tf.matmul(mean, _weights(g, 16, 10)) + _weights(g, 10)
    return [tf.identity(logits, "logits"), tf.nn.softmax(logits * 3, name="scores")]


def encoder(x: tf.Tensor) -> List[tf.Tensor]:
    """Of [1, 8, 16]: dense layers with a residual, slices, and a reshape."""
    g = np.random.RandomState(1)
    flat = tf.reshape(x, [8, 16])
    hidden = tf.nn.relu(tf.matmul(flat, _weights(g, 16, 32)) + _weights(g, 32))
    y = tf.reshape(tf.matmul(hidden, _weights(g, 32, 16)) + _weights(g, 16) + flat, [1, 8, 16])
    z = y[:, ::2] * 0.5 + y[:, 1::2]
    return [tf.matmul(tf.reshape(z, [1, 64]), _weights(g, 64, 6)) + _weights(g, 6)]


def upsampler(x: tf.Tensor) -> List[tf.Tensor]:
    """Of [1, 8, 8, 4]: a transposed convolution and both kinds of resizing."""
    g = np.random.RandomState(2)
    y = tf.nn.relu(tf.nn.conv2d(x, _weights(g, 3, 3, 4, 8), 1, "SAME") + _weights(g, 8))
    up = tf.nn.conv2d_transpose(y, _weights(g, 2, 2, 8, 8), [1, 16, 16, 8], 2, "VALID") + _weights(g, 8)
    bilinear = tf.compat.v1.image.resize_bilinear(y, [16, 16])
    nearest = tf.compat.v1.image.resize_nearest_neighbor(y, [16, 16])
    joined = tf.concat([up, bilinear, nearest], -1)
    return [tf.nn.conv2d(joined, _weights(g, 1, 1, 24, 8), 1, "SAME") + _weights(g, 8)]


def bottlenecks(x: tf.Tensor) -> List[tf.Tensor]:
    """Of [1, 16, 16, 3]: a chain of inverted residuals with linear bottlenecks, as MobileNetV2 has."""
    g = np.random.RandomState(3)
    y = tf.nn.relu6(tf.nn.conv2d(x, 3 * _weights(g, 3, 3, 3, 8), 2, "SAME") + _weights(g, 8))
    for _ in range(3):
        wide = tf.nn.relu6(tf.nn.conv2d(y, 3 * _weights(g, 1, 1, 8, 24), 1, "SAME") + _weights(g, 24))
        deep = tf.nn.relu6(
            tf.nn.depthwise_conv2d(wide, 2 * _weights(g, 3, 3, 24, 1) * 5, [1] * 4, "SAME") + _weights(g, 24)
        )
        y = y + tf.nn.conv2d(deep, _weights(g, 1, 1, 24, 8), 1, "SAME") + _weights(g, 8)
    return [tf.matmul(tf.reduce_mean(y, [1, 2]), _weights(g, 8, 12)) + _weights(g, 12)]


NETWORKS = {
    "classifier": (classifier, [1, 3, 16, 16]),
    "encoder": (encoder, [1, 8, 16]),
    "upsampler": (upsampler, [1, 8, 8, 4]),
    "bottlenecks": (bottlenecks, [1, 16, 16, 3]),
}
