"""Keep large constants out of TensorFlow's memory while it builds a graph.

``tf.constant`` copies an array into a message, which goes into the graph, into its definition and into that as bytes:
four copies, of which no one looks into those of a large array. So it is given one value in the place of all.
"""

import contextlib
from typing import Any, Dict, Iterator

import numpy as np
import tensorflow as tf
from tensorflow.core.framework.graph_pb2 import GraphDef
from tensorflow.core.framework.node_def_pb2 import NodeDef
from tensorflow.core.framework.tensor_pb2 import TensorProto
from tensorflow.python.framework import tensor_util

from ferry.frozen.light_graph import LARGE_BYTES, Held, LightGraph, fill

# By the number in the message that stands for each.
Arrays = Dict[int, np.ndarray]


@contextlib.contextmanager
def kept_aside() -> Iterator[Arrays]:
    """Within it the large arrays of float32 that become constants are put into what it gives, and are not copied.

    They must not be changed until the graph is written.
    """
    arrays: Arrays = {}
    copying = tensor_util.make_tensor_proto

    def made(values: Any, dtype: Any = None, shape: Any = None, *rest: Any, **options: Any) -> TensorProto:
        if not _is_large(values, dtype, shape):
            return copying(values, dtype, shape, *rest, **options)
        number = len(arrays) + 1
        arrays[number] = values
        # TensorFlow has no use for the version, and passes it on. Whoever reads the value gets NaN.
        proto = TensorProto(dtype=tf.float32.as_datatype_enum, float_val=[float("nan")], version_number=number)
        proto.tensor_shape.CopyFrom(tf.TensorShape(values.shape).as_proto())
        return proto

    tensor_util.make_tensor_proto = made
    try:
        yield arrays
    finally:
        tensor_util.make_tensor_proto = copying


def light(graph_def: GraphDef, arrays: Arrays) -> LightGraph:
    """``graph_def``, built while ``arrays`` were kept aside, with them. Inside functions they are put back."""
    for function in graph_def.library.function:
        for node in function.node_def:
            if _number(node):
                fill(node, np.ascontiguousarray(arrays[_number(node)]))
    constants = {}
    for node in graph_def.node:
        if _number(node):
            constants[node.name] = Held(arrays[_number(node)])
            node.attr["value"].tensor.version_number = 0
    return LightGraph(graph_def, constants)


def _is_large(values: Any, dtype: Any, shape: Any) -> bool:
    return (
        isinstance(values, np.ndarray)
        and values.dtype == np.float32
        and values.nbytes >= LARGE_BYTES
        and (dtype is None or tf.as_dtype(dtype) == tf.float32)
        and (shape is None or list(shape) == list(values.shape))
    )


def _number(node: NodeDef) -> int:
    return node.attr["value"].tensor.version_number if node.op == "Const" else 0
