"""An ONNX model to a frozen TensorFlow graph in NHWC: the passes, in order."""

import onnx
import tensorflow as tf
from tensorflow.core.framework.graph_pb2 import GraphDef

from ferry.frozen import frozen_graph
from ferry.frozen.share_constants import share_constants
from ferry.frozen.unusable_graph import refuse_unusable
from ferry.graph.passes.fold_batch_norm import fold_batch_norm
from ferry.graph.passes.fold_channel_shuffle import fold_channel_shuffle
from ferry.graph.passes.fold_constants import fold_constants
from ferry.graph.passes.fold_pad import fold_pad
from ferry.graph.passes.fold_pixel_shuffle import fold_pixel_shuffle
from ferry.graph.passes.fold_pool_flatten import fold_pool_flatten
from ferry.graph.passes.join_affines import join_affines
from ferry.graph.passes.join_channels import join_channels
from ferry.graph.passes.pool_after_conv import pool_after_conv
from ferry.graph.passes.push_scales import push_scales
from ferry.graph.passes.route_channels import route_channels
from ferry.graph.passes.split_groups import split_groups
from ferry.graph.passes.valid_names import make_names_valid
from ferry.lowering import graph_builder


def convert(model: onnx.ModelProto, layout: str = "nchw") -> GraphDef:
    """Convert ``model``; its inputs come first in the result and its outputs last, each in the model's order.

    ``layout`` is that of its float inputs and outputs of four dimensions, ``nchw`` or ``nhwc``; inside it is NHWC.

    Raises:
        UnsupportedModelError: something in the model has no TensorFlow form on the pinned versions.
    """
    model = prepare(model)
    inputs, outputs = graph_builder.input_names(model), [entry.name for entry in model.graph.output]
    built = graph_builder.build_graph(model, layout).as_graph_def()
    # An input that nothing reads is still one that callers feed.
    graph_def = tf.compat.v1.graph_util.extract_sub_graph(built, [*inputs, *outputs])
    refuse_unusable(graph_def)
    return frozen_graph.in_order(share_constants(graph_def), inputs, outputs)


def prepare(model: onnx.ModelProto) -> onnx.ModelProto:
    """``model`` as the lowerings are given it: rewritten, and under names that TensorFlow takes."""
    model = rewrite(model)
    make_names_valid(model)
    return model


def rewrite(model: onnx.ModelProto) -> onnx.ModelProto:
    """``model`` with everything folded that can be. The input model is left as it was."""
    model = fold_constants(model)
    join_channels(model)
    join_affines(model)
    fold_pad(model)
    fold_batch_norm(model)
    push_scales(model)
    pool_after_conv(model)
    fold_channel_shuffle(model)
    fold_pixel_shuffle(model)
    route_channels(model)
    split_groups(model)
    fold_pool_flatten(model)
    return model
