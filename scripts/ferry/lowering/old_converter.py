"""What the TFLite converter of TensorFlow 2.2 does wrong that 2.4's does right, and how a graph keeps it from that."""

import tensorflow as tf

# It multiplies a convolution's weights by any constant that broadcasts with them, one factor a channel or not. It moves
# a product with a constant from behind a reshape to before it, with another shape. And it takes a dilated depthwise
# convolution for one with SAME padding wherever the sizes are no multiple of the dilation.
IS_OLD = tf.__version__.startswith("2.2.")


def shielded(tensor: tf.Tensor) -> tf.Tensor:
    """``tensor`` behind something that the old converter does not look through: a slice of all of it.

    The newer one is given the tensor itself.
    """
    rank = tensor.shape.rank
    return tf.slice(tensor, [0] * rank, [-1] * rank) if IS_OLD and rank else tensor
