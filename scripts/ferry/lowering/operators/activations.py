"""Activations that TFLite has no kernel for, or TensorFlow's of which overflows, from operators it has."""

from typing import Callable, Dict, List, Optional

import tensorflow as tf
from onnx_tf.pb_wrapper import OnnxNode

from ferry.graph.operator_registry import lowers
from ferry.lowering.tensors import Made, Tensors, same_layout

# The defaults are ONNX's.
SELU_ALPHA, SELU_GAMMA = 1.67326319217681884765625, 1.05070102214813232421875


def _celu(x: tf.Tensor, attributes: dict) -> tf.Tensor:
    alpha = attributes.get("alpha", 1.0)
    return tf.nn.relu(x) + alpha * tf.nn.elu(tf.minimum(x, 0.0) * (1.0 / alpha))


def _selu(x: tf.Tensor, attributes: dict) -> tf.Tensor:
    alpha, gamma = attributes.get("alpha", SELU_ALPHA), attributes.get("gamma", SELU_GAMMA)
    return gamma * tf.nn.relu(x) + (alpha * gamma) * tf.nn.elu(tf.minimum(x, 0.0))


def _softplus(x: tf.Tensor, _attributes: dict) -> tf.Tensor:
    # log(1 + exp(x)) as it stands is infinite from 89 on.
    return tf.nn.relu(x) + tf.math.log(1.0 + tf.exp(-tf.abs(x)))


def _thresholded_relu(x: tf.Tensor, attributes: dict) -> tf.Tensor:
    return tf.where(tf.greater(x, attributes.get("alpha", 1.0)), x, tf.zeros([], x.dtype))


FUNCTIONS: Dict[str, Callable[[tf.Tensor, dict], tf.Tensor]] = {
    "Celu": _celu,
    "Selu": _selu,
    "Softplus": _softplus,
    "Softsign": lambda x, _: x / (1.0 + tf.abs(x)),
    "ThresholdedRelu": _thresholded_relu,
}


@lowers(*FUNCTIONS)
def lower(node: OnnxNode, tensors: Tensors) -> Optional[List[Made]]:
    """Apply an activation to each element of float32 ``X``."""
    x, last = tensors.either(node.inputs[0])
    return [same_layout(last, FUNCTIONS[node.op_type](x, node.attrs))] if x.dtype == tf.float32 else None
