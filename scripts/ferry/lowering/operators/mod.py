"""``Mod``: what is left of a division."""

import tensorflow as tf

from ferry.graph.operator_registry import lowers
from ferry.lowering.broadcasting import broadcast
from ferry.lowering.declined import Declined, Lowered
from ferry.lowering.integers import remainder
from ferry.lowering.node import Node
from ferry.lowering.operators.binary import operands_last
from ferry.lowering.tensors import Tensors, same_layout


@lowers("Mod")
def lower(node: Node, tensors: Tensors) -> Lowered:
    """What is left of ``A`` by ``B``, with the sign of ``B``; where ``fmod`` is 1, floats too, with that of ``A``."""
    operands = operands_last(node.inputs, tensors)
    last = operands is not None
    operands = operands or [tensors[name] for name in node.inputs]
    kind = operands[0].dtype
    if kind not in (tf.float32, tf.int32, tf.int64) or (kind == tf.float32 and not node.attributes["fmod"]):
        # TensorFlow has no kernel for half precision, and finds out when the graph runs.
        return Declined(f"it is the remainder of {kind.name}", onnx_tf_differs=kind == tf.float16)
    return [same_layout(last, broadcast(remainder if node.attributes["fmod"] else tf.math.floormod, operands))]
