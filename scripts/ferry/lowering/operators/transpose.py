"""``Transpose``, together with the one that its operand's layout would need."""

from typing import List, Optional

import tensorflow as tf
from onnx_tf.pb_wrapper import OnnxNode

from ferry.graph.operator_registry import lowers
from ferry.lowering.tensors import Made, Tensors, to_first, transposed


@lowers("Transpose")
def lower(node: OnnxNode, tensors: Tensors) -> Optional[List[Made]]:
    """Permute the dimensions of ``X`` by ``perm``, by default backwards."""
    shape = tensors.shape(node.inputs[0])
    if shape is None:
        return None
    permutation = node.attrs.get("perm", list(reversed(range(len(shape)))))
    x, last = tensors.either(node.inputs[0])
    if last:
        first = to_first(len(shape))
        permutation = [first[axis] for axis in permutation]
    if permutation == list(range(len(shape))):
        return [tf.identity(x)]
    return [transposed(x, permutation)]
