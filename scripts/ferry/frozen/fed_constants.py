"""A frozen graph in TensorFlow, with its large constants fed to it.

A session holds a graph's constants five times over: in the graph, in its own copies of that before and after pruning,
and as tensors. What it is fed it reads where that is.
"""

from typing import Dict, NamedTuple

import numpy as np
import tensorflow as tf

from ferry.frozen import frozen_graph
from ferry.frozen.light_graph import LightGraph

# With fewer bytes of constants than this they stay in the graph.
FEWEST_BYTES = 1 << 26
# TensorFlow copies what does not begin at a multiple of so many bytes.
_ALIGNMENT = 64


class FedGraph(NamedTuple):
    """``graph``, and what it is to be fed beside its inputs, by the names of its tensors."""

    graph: tf.Graph
    constants: Dict[str, np.ndarray]


def imported(light: LightGraph, whole: bool = False) -> FedGraph:
    """The graph of ``light``; with ``whole``, or where its constants are small, they are in it."""
    if whole or sum(constant.nbytes for constant in light.constants.values()) < FEWEST_BYTES:
        graph_def, constants = light.whole(), {}
    else:
        graph_def = frozen_graph.without_constants(light)
        constants = {f"{name}:0": _aligned(constant.array()) for name, constant in light.constants.items()}
    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(graph_def, name="")
    return FedGraph(graph, constants)


def _aligned(array: np.ndarray) -> np.ndarray:
    room = np.empty(array.nbytes + _ALIGNMENT, np.uint8)
    start = -room.ctypes.data % _ALIGNMENT
    made = room[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    made[...] = array
    return made
