"""Batched products that the converter unrolls are BATCH_MATMUL, and compute the same to the bit in TFLite."""

import numpy as np
import pytest
import tensorflow as tf

from ferry.tflite import batch_products, converter, flatbuffer
from ferry.tflite.multiply_adds import multiply_adds
from onnx_models import normal

MATRICES = normal(1, 2, 4, 5)
# A product, the shapes of its inputs, and the operators that are left of it.
PRODUCTS = {
    "three dimensions": (tf.matmul, [[2, 3, 4], [2, 4, 5]], {"BATCH_MATMUL": 1}),
    "four dimensions": (tf.matmul, [[1, 2, 3, 4], [1, 2, 4, 5]], {"BATCH_MATMUL": 1}),
    "a batch of one": (tf.matmul, [[1, 3, 4], [1, 4, 5]], {"BATCH_MATMUL": 1}),
    "transposed": (lambda a, b: tf.matmul(a, b, True, True), [[2, 4, 3], [2, 5, 4]], {"BATCH_MATMUL": 1}),
    "keys": (
        lambda a, b: tf.matmul(a, tf.transpose(b, [0, 2, 3, 1])),
        [[1, 2, 3, 4], [1, 5, 2, 4]],
        {"BATCH_MATMUL": 1, "TRANSPOSE": 1},
    ),
    "one right for all": (tf.matmul, [[2, 3, 4], [1, 4, 5]], {"BATCH_MATMUL": 1}),
    "one left for all": (tf.matmul, [[1, 3, 4], [4, 4, 5]], {"BATCH_MATMUL": 1}),
    "broadcast inside": (tf.matmul, [[2, 2, 3, 4], [2, 4, 5]], {"BATCH_MATMUL": 1, "RESHAPE": 5}),
    "broadcast outside": (tf.matmul, [[3, 2, 3, 4], [3, 1, 4, 5]], {"BATCH_MATMUL": 1, "RESHAPE": 6}),
    "broadcast both": (tf.matmul, [[3, 1, 3, 4], [1, 2, 4, 5]], {"BATCH_MATMUL": 1, "RESHAPE": 6}),
    "by constants": (lambda a: tf.matmul(a, tf.constant(MATRICES)), [[2, 3, 4]], {"BATCH_MATMUL": 1}),
    "of constants": (lambda a: tf.matmul(tf.constant(MATRICES), a), [[2, 5, 3]], {"BATCH_MATMUL": 1}),
}


def unrolled(product, shapes):
    with tf.Graph().as_default() as graph:
        inputs = [tf.compat.v1.placeholder(tf.float32, shape, name=f"x{place}") for place, shape in enumerate(shapes)]
        tf.identity(product(*inputs), name="y")
    return converter._converted(graph.as_graph_def(), allow_flex=False)


def outputs(data, shapes):
    interpreter = tf.lite.Interpreter(model_content=data)
    interpreter.allocate_tensors()
    places = {detail["name"]: detail["index"] for detail in interpreter.get_input_details()}
    for place, shape in enumerate(shapes):
        interpreter.set_tensor(places[f"x{place}"], normal(place, *shape))
    interpreter.invoke()
    return [interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()]


@pytest.mark.parametrize("name", PRODUCTS)
def test_it_is_one_operator_and_computes_the_same(name):
    product, shapes, operators = PRODUCTS[name]
    data = unrolled(product, shapes)
    assert "FULLY_CONNECTED" in flatbuffer.operators(data)
    rolled, count = batch_products.rolled_up(data)
    assert count == 1
    assert flatbuffer.operators(rolled) == operators
    assert flatbuffer.interface(rolled) == flatbuffer.interface(data)
    (made,), (wanted,) = outputs(rolled, shapes), outputs(data, shapes)
    np.testing.assert_array_equal(made, wanted)
    assert np.ptp(wanted) > 1
    assert batch_products.rolled_up(data)[0] == rolled


def test_matrices_that_pair_otherwise_stay_unrolled():
    def crossed(a, b):
        pairs = zip(tf.unstack(a), reversed(tf.unstack(b)))
        return tf.stack([tf.matmul(left, right) for left, right in pairs])

    data = unrolled(crossed, [[2, 3, 4], [2, 4, 5]])
    assert batch_products.rolled_up(data) == (data, 0)


def test_a_product_with_an_activation_stays_unrolled():
    def activated(a, b):
        return tf.stack([tf.nn.relu(tf.matmul(left, right)) for left, right in zip(tf.unstack(a), tf.unstack(b))])

    data = unrolled(activated, [[2, 3, 4], [2, 4, 5]])
    assert batch_products.rolled_up(data) == (data, 0)


def test_what_has_no_product_keeps_its_bytes():
    data = unrolled(tf.nn.relu, [[1, 4]])
    assert batch_products.rolled_up(data) == (data, 0)


def test_weights_stay_aligned():
    data = unrolled(lambda a, b: tf.matmul(tf.matmul(a, b), tf.constant(normal(3, 5, 6))), [[2, 3, 4], [2, 4, 5]])
    rolled, _ = batch_products.rolled_up(data)
    assert rolled.index(normal(3, 5, 6).T.tobytes()) % 16 == 0


def test_the_converter_rolls_them_up():
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [2, 3, 4], name="x")
        tf.identity(tf.matmul(x, x, transpose_b=True), name="y")
    assert flatbuffer.operators(converter.convert(graph.as_graph_def())) == {"BATCH_MATMUL": 1}


@pytest.mark.parametrize("transposed", [False, True])
def test_its_multiply_adds_are_those_of_the_unrolled_one(transposed):
    shapes = [[2, 4, 3] if transposed else [2, 3, 4], [2, 4, 5]]
    data = unrolled(lambda a, b: tf.matmul(a, b, transpose_a=transposed), shapes)
    assert multiply_adds(batch_products.rolled_up(data)[0]) == multiply_adds(data) == 2 * 3 * 4 * 5
