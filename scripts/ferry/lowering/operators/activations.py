"""Activations that TFLite has no kernel for, or TensorFlow's of which overflows, from operators it has."""

from typing import Callable, Dict

import tensorflow as tf

from ferry.graph.operator_registry import lowers
from ferry.lowering.declined import NOT_FLOAT32, Lowered
from ferry.lowering.node import Node
from ferry.lowering.tensors import Tensors, same_layout


def _celu(x: tf.Tensor, attributes: dict) -> tf.Tensor:
    alpha = attributes["alpha"]
    return tf.nn.relu(x) + alpha * tf.nn.elu(tf.minimum(x, 0.0) * (1.0 / alpha))


def _selu(x: tf.Tensor, attributes: dict) -> tf.Tensor:
    alpha, gamma = attributes["alpha"], attributes["gamma"]
    return gamma * tf.nn.relu(x) + (alpha * gamma) * tf.nn.elu(tf.minimum(x, 0.0))


def _softplus(x: tf.Tensor, _attributes: dict) -> tf.Tensor:
    # log(1 + exp(x)) as it stands is infinite from 89 on.
    return tf.nn.relu(x) + tf.math.log(1.0 + tf.exp(-tf.abs(x)))


def _thresholded_relu(x: tf.Tensor, attributes: dict) -> tf.Tensor:
    return tf.where(tf.greater(x, attributes["alpha"]), x, tf.zeros([], x.dtype))


FUNCTIONS: Dict[str, Callable[[tf.Tensor, dict], tf.Tensor]] = {
    "Celu": _celu,
    "Selu": _selu,
    "Softplus": _softplus,
    "Softsign": lambda x, _: x / (1.0 + tf.abs(x)),
    "ThresholdedRelu": _thresholded_relu,
}


@lowers(*FUNCTIONS)
def lower(node: Node, tensors: Tensors) -> Lowered:
    """Apply an activation to each element of float32 ``X``."""
    x, last = tensors.either(node.inputs[0])
    if x.dtype != tf.float32:
        return NOT_FLOAT32
    return [same_layout(last, FUNCTIONS[node.operator](x, node.attributes))]
