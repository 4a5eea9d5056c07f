"""Make the network that Keras itself has for a model, as a ``.tflite`` of the pinned TensorFlow: what to compare with.

A program by itself: ``keras_native.py MobileNetV2 OUTPUT.tflite``. The network ends in its logits, as torchvision's do.
"""

import os
import sys

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

import numpy as np
import tensorflow as tf

from ferry import atomic_file
from ferry.tflite import converter

SEED = 0
INPUT_SHAPE = (1, 224, 224, 3)
CALIBRATION_IMAGES = 4


def convert(architecture: str) -> bytes:
    """The TFLite model of ``tf.keras.applications.<architecture>`` with static shapes and random, seeded weights.

    Speed does not depend on the weights' values, as long as they keep the activations from becoming denormal: each
    batch norm takes over the statistics of some random images, so that every layer's outputs are of the order of 1.
    """
    tf.random.set_seed(SEED)
    model = getattr(tf.keras.applications, architecture)(weights=None, classifier_activation=None)
    norms = [layer for layer in model.layers if isinstance(layer, tf.keras.layers.BatchNormalization)]
    for layer in norms:
        layer.momentum = 0.0
    random = np.random.RandomState(SEED)
    model(random.standard_normal((CALIBRATION_IMAGES, *INPUT_SHAPE[1:])).astype(np.float32), training=True)
    function = tf.function(lambda images: model(images, training=False))
    concrete = function.get_concrete_function(tf.TensorSpec(INPUT_SHAPE, tf.float32))
    return tf.lite.TFLiteConverter.from_concrete_functions([concrete]).convert()


def main() -> None:
    """Write the model that the command line asks for."""
    architecture, target = sys.argv[1:]
    converter.put_interpreter_on_path()
    atomic_file.write_bytes(target, convert(architecture))


if __name__ == "__main__":
    main()
