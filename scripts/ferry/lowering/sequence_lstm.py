"""A whole LSTM sequence as one TensorFlow function, which TFLite's converter makes one operator.

The converter looks for functions that bear the attributes which Keras gives its own, and takes their arguments for
Keras's: the sequence, two states, the input's kernel, the state's kernel and the bias, with gates in the order input,
forget, cell, output. Of the five results it lets the first two be read: the last output, and all of them. What the
function computes inside is what TensorFlow itself runs. Keras has it in ``keras/layers/recurrent_v2.py``; the
converter in ``lite/utils/lstm_utils.cc``.
"""

from typing import Tuple

import numpy as np
import tensorflow as tf
from tensorflow.python.eager.function import defun_with_attributes

ATTRIBUTES = {
    "api_preferred_device": "CPU",
    "go_backwards": False,
    "time_major": True,
    # Inlined, it would be no function any more.
    "_noinline": True,
}


def sequence_lstm(x: tf.Tensor, kernel: np.ndarray, recurrent_kernel: np.ndarray, bias: np.ndarray) -> tf.Tensor:
    """The hidden states (T, N, H) of ``x`` (T, N, I), from states of zeros; (I, 4·H), (H, 4·H) and (4·H) are weights.

    TFLite's operator starts from the states that its last call left. ``x`` must close the input and forget gates in
    its first step, so that nothing is left of them.
    """
    zeros = tf.zeros([x.shape[1], recurrent_kernel.shape[0]], x.dtype)
    weights = [tf.constant(array) for array in (kernel, recurrent_kernel, bias)]
    # Of two functions that implement the same, TensorFlow may run either for both.
    name = tf.compat.v1.get_default_graph().unique_name("lstm_sequence")
    function = defun_with_attributes(_lstm, attributes={**ATTRIBUTES, "api_implements": name})
    return function(x, zeros, zeros, *weights)[1]


def _lstm(
    x: tf.Tensor, h: tf.Tensor, c: tf.Tensor, kernel: tf.Tensor, recurrent_kernel: tf.Tensor, bias: tf.Tensor
) -> Tuple[tf.Tensor, ...]:
    steps, batch, features = x.shape.as_list()
    product = tf.matmul(tf.reshape(x, [steps * batch, features]), kernel)
    shares = tf.reshape(tf.nn.bias_add(product, bias), [steps, batch, -1])
    outputs = tf.TensorArray(x.dtype, steps, element_shape=h.shape)

    def step(time: tf.Tensor, h: tf.Tensor, c: tf.Tensor, made: tf.TensorArray) -> Tuple[tf.Tensor, ...]:
        enter, forget, cell, leave = tf.split(shares[time] + tf.matmul(h, recurrent_kernel), 4, axis=1)
        c = tf.sigmoid(forget) * c + tf.sigmoid(enter) * tf.tanh(cell)
        h = tf.sigmoid(leave) * tf.tanh(c)
        return time + 1, h, c, made.write(time, h)

    _, h, c, outputs = tf.while_loop(lambda time, *_: time < steps, step, [tf.constant(0), h, c, outputs])
    return h, outputs.stack(), h, c, tf.constant(0.0)
