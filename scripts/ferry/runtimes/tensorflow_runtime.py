"""TensorFlow: does the frozen graph compute what PyTorch does?"""

from typing import List, Optional

import numpy as np
import tensorflow as tf

from ferry.frozen import fed_constants, frozen_graph
from ferry.runtimes import Runtime, TensorSpec, tensorflow_gpu


class TensorflowRuntime(Runtime):
    """The frozen graph in ``path``, in one session that stays open: on the CPU, or on the GPU ``on``."""

    def __init__(self, path: str, on: Optional[tensorflow_gpu.Gpu] = None):
        light = frozen_graph.load_light(path)
        # What a GPU is fed goes there anew each time.
        graph, constants = fed_constants.imported(light, whole=on is not None)
        inputs = [graph.get_tensor_by_name(f"{name}:0") for name in frozen_graph.input_names(light.graph_def)]
        outputs = [graph.get_tensor_by_name(f"{name}:0") for name in frozen_graph.output_names(light.graph_def)]
        self.inputs = [_spec(tensor) for tensor in inputs]
        self.outputs = [_spec(tensor) for tensor in outputs]
        session = tf.compat.v1.Session(graph=graph, config=tensorflow_gpu.session_options(on))
        # Naming the tensors once saves what Session.run spends on it at every call.
        fed = [graph.get_tensor_by_name(name) for name in constants]
        self._call = session.make_callable(outputs, feed_list=[*inputs, *fed])
        self._constants = list(constants.values())

    def run(self, arrays: List[np.ndarray]) -> List[np.ndarray]:
        return self._call(*arrays, *self._constants)


def _spec(tensor: tf.Tensor) -> TensorSpec:
    shape = tuple(-1 if size is None else size for size in tensor.shape.as_list())
    return TensorSpec(tensor.op.name, shape, np.dtype(tensor.dtype.as_numpy_dtype))
