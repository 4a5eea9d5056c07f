"""``Transpose``, together with the one that its operand's layout would need."""

import tensorflow as tf

from ferry.graph.operator_registry import lowers
from ferry.lowering.declined import UNKNOWN_RANK, Declined, Lowered
from ferry.lowering.node import Node
from ferry.lowering.tensors import Tensors, to_first, transposed


@lowers("Transpose")
def lower(node: Node, tensors: Tensors) -> Lowered:
    """Permute the dimensions of ``X`` by ``perm``, by default backwards."""
    shape = tensors.shape(node.inputs[0])
    if shape is None:
        return UNKNOWN_RANK
    permutation = node.attributes.get("perm", list(reversed(range(len(shape)))))
    if sorted(permutation) != list(range(len(shape))):
        return Declined(f"{permutation} is no permutation of {len(shape)} dimensions")
    x, last = tensors.either(node.inputs[0])
    if last:
        first = to_first(len(shape))
        permutation = [first[axis] for axis in permutation]
    if permutation == list(range(len(shape))):
        return [tf.identity(x)]
    return [transposed(x, permutation)]
