import io

import numpy as np
import tensorflow as tf

from ferry.frozen import fed_constants, frozen_graph, light_graph
from ferry.runtimes.tensorflow_runtime import TensorflowRuntime
from onnx_models import normal


def data_of_a_graph():
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [1, 200], name="x")
        tf.identity(tf.nn.relu(tf.nn.bias_add(tf.matmul(x, normal(1, 200, 300)), normal(2, 300))), name="y")
    return frozen_graph.to_bytes(graph.as_graph_def())


def test_large_constants_are_fed_and_lie_where_tensorflow_copies_none(monkeypatch):
    data = data_of_a_graph()
    light = light_graph.read(io.BytesIO(data), len(data))
    assert fed_constants.imported(light).constants == {}
    monkeypatch.setattr(fed_constants, "FEWEST_BYTES", 1)
    assert fed_constants.imported(light, whole=True).constants == {}
    graph, constants = fed_constants.imported(light)
    ((name, array),) = constants.items()
    np.testing.assert_array_equal(array, normal(1, 200, 300))
    assert array.ctypes.data % 64 == 0
    assert graph.get_tensor_by_name(name).op.type == "Placeholder"


def test_the_runtime_computes_the_same_and_asks_for_the_models_inputs_alone(tmp_path, monkeypatch):
    path = tmp_path / "m.pb"
    path.write_bytes(data_of_a_graph())
    whole = TensorflowRuntime(str(path))
    monkeypatch.setattr(fed_constants, "FEWEST_BYTES", 1)
    fed = TensorflowRuntime(str(path))
    assert fed.inputs == whole.inputs
    x = normal(3, 1, 200)
    for one, other in zip(fed.run([x]), whole.run([x])):
        np.testing.assert_array_equal(one, other)
