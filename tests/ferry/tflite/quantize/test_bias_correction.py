"""With corrected biases a layer whose weights are rounded is right on average over the calibration inputs."""

import numpy as np
import pytest
import tensorflow as tf

from ferry.tflite import with_outputs
from ferry.tflite.editable import EditableModel
from ferry.tflite.quantize import bias_correction, float_run
from onnx_models import normal

LAYERS = {
    "convolution": (lambda x, w: tf.nn.conv2d(x, w, 2, "SAME"), [3, 3, 4, 8]),
    "dilated": (lambda x, w: tf.nn.conv2d(x, w, 1, "VALID", dilations=2), [3, 3, 4, 8]),
    "depthwise": (lambda x, w: tf.nn.depthwise_conv2d(x, w, [1, 1, 1, 1], "SAME"), [3, 3, 4, 1]),
    "fully connected": (lambda x, w: tf.matmul(tf.reshape(x, [1, 400]), w), [400, 8]),
}


def run(data, array):
    interpreter = tf.lite.Interpreter(model_content=data)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], array)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


@pytest.mark.parametrize("name", LAYERS)
def test_the_mean_error_of_each_channel_goes(name):
    layer, shape = LAYERS[name]
    # A few large weights make the steps coarse.
    weights = normal(1, *shape) * 0.1
    weights.flat[:: weights.size // 8] = 9.0
    channels = shape[-1] if name != "depthwise" else shape[2]
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [1, 10, 10, 4], name="x")
        tf.identity(tf.nn.bias_add(layer(x, weights), normal(2, channels)), name="y")
    data = with_outputs.convert(graph.as_graph_def())
    samples = [normal(place, 1, 10, 10, 4) + 1.5 for place in range(20)]
    seen = float_run.observe(data, ([each] for each in samples))
    plain, corrected = EditableModel(data), EditableModel(data)
    bias_correction.correct(corrected, seen, set())
    for model in (plain, corrected):
        for operator in model.operators:
            if model.kind(operator) in bias_correction._CHANNEL_AXIS:
                held = model.constant(int(operator.inputs[1]))
                axis = bias_correction._CHANNEL_AXIS[model.kind(operator)]
                model.set_constant(int(operator.inputs[1]), bias_correction.rounded(held, axis))
    wanted = np.mean([run(data, each) for each in samples], axis=0)
    errors = [
        np.mean([run(model.to_bytes(), each) for each in samples], axis=0) - wanted for model in (plain, corrected)
    ]
    before, after = (np.abs(each.reshape(-1, channels).mean(0)).max() for each in errors)
    assert before > 1e-3
    assert after < 0.1 * before
