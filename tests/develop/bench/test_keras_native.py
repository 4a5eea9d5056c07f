import sys

import numpy as np
import pytest

from converted import run_tflite
from develop.bench import keras_native
from ferry.tflite import flatbuffer
from programs import ROOT, run

SMALLEST_NORMAL = np.finfo(np.float32).tiny


@pytest.fixture(scope="module")
def mobilenet_of_keras(tmp_path_factory):
    return converted(tmp_path_factory.mktemp("keras"))


def converted(folder):
    """What the program makes in a process of its own: Keras numbers its layers through a process's whole life."""
    program = ROOT / "scripts" / "develop" / "bench" / "keras_native.py"
    done = run(sys.executable, program, "MobileNetV2", folder / "model.tflite")
    assert done.returncode == 0, done.stderr
    return (folder / "model.tflite").read_bytes()


def test_it_is_keras_own_network(mobilenet_of_keras):
    operators = flatbuffer.operators(mobilenet_of_keras)
    assert operators["CONV_2D"] == 35
    assert operators["DEPTHWISE_CONV_2D"] == 17
    # It ends in its logits, as the other network does.
    assert "SOFTMAX" not in operators


def test_nothing_it_computes_with_is_denormal(mobilenet_of_keras):
    (name,), _ = flatbuffer.interface(mobilenet_of_keras)
    image = np.random.RandomState(1).standard_normal(keras_native.INPUT_SHAPE).astype(np.float32)
    (logits,) = run_tflite(mobilenet_of_keras, {name: image})
    assert logits.shape == (1, 1000)
    assert 1e-2 < np.abs(logits).mean() < 1e2
    assert np.abs(logits[logits != 0]).min() > SMALLEST_NORMAL


def test_its_weights_are_the_same_on_each_run(mobilenet_of_keras, tmp_path):
    assert converted(tmp_path) == mobilenet_of_keras
