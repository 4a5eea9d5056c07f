"""Move a graph from ONNX's NCHW to the NHWC that CPUs and TFLite run, and cancel the transposes this takes.

The work is TensorFlow's own: Grappler's layout optimizer. Its ``cpu_layout_conversion`` exists from TF 2.4 on.
"""

from typing import List

import tensorflow as tf
from tensorflow.core.protobuf import config_pb2, rewriter_config_pb2
from tensorflow.python.grappler import tf_optimizer
from tensorflow.python.training.saver import export_meta_graph

from ferry.errors import UnsupportedModelError


def to_nhwc(graph: tf.Graph, outputs: List[str]) -> tf.compat.v1.GraphDef:
    """Return ``graph`` in NHWC, reduced to what ``outputs`` depend on.

    Raises:
        UnsupportedModelError: a node stays in NCHW, where no CPU could run it.
    """
    rewriter = rewriter_config_pb2.RewriterConfig
    config = config_pb2.ConfigProto()
    options = config.graph_options.rewrite_options
    options.cpu_layout_conversion = rewriter.NCHW_TO_NHWC
    options.min_graph_nodes = -1
    # Grappler stops at a time limit that a slow machine reaches and a fast one does not: the bytes would differ.
    options.meta_optimizer_timeout_ms = -1
    options.optimizers.extend(["pruning", "constfold", "layout", "arithmetic", "constfold", "pruning"])
    meta_graph = export_meta_graph(graph=graph, graph_def=graph.as_graph_def())
    meta_graph.collection_def["train_op"].node_list.value.extend(outputs)
    optimized = tf_optimizer.OptimizeGraph(config, meta_graph)
    stuck = [
        f"{node.op} {node.name}"
        for node in optimized.node
        if "data_format" in node.attr and node.attr["data_format"].s.startswith((b"NCHW", b"NCDHW"))
    ]
    if stuck:
        raise UnsupportedModelError(f"these operators could not be moved to NHWC: {', '.join(stuck)}")
    return optimized
