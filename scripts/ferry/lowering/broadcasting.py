"""Operators on operands that broadcast in more dimensions than TFLite's kernels take: TF 2.4's interpreter aborts."""

from typing import Callable, List, Sequence

import numpy as np
import tensorflow as tf

MOST_DIMENSIONS = 4


def broadcast(function: Callable[..., tf.Tensor], operands: Sequence[tf.Tensor]) -> tf.Tensor:
    """``function`` of ``operands``, neighbouring dimensions made one where there are more than four to broadcast in.

    An operand is repeated beforehand where that does not suffice. Without static shapes nothing is changed.
    """
    shapes = [operand.shape.as_list() if operand.shape.rank is not None else [None] for operand in operands]
    rank = max(len(shape) for shape in shapes)
    if rank <= MOST_DIMENSIONS or any(None in shape for shape in shapes) or all(each == shapes[0] for each in shapes):
        return function(*operands)
    shapes = [[1] * (rank - len(shape)) + shape for shape in shapes]
    whole = [max(sizes) for sizes in zip(*shapes)]
    groups = _groups(shapes, whole)
    if len(groups) > MOST_DIMENSIONS:
        repeated = [
            tf.tile(tf.reshape(operand, shape), [full // size for size, full in zip(shape, whole)])
            for operand, shape in zip(operands, shapes)
        ]
        return function(*repeated)
    joined = [
        tf.reshape(operand, [int(np.prod([shape[axis] for axis in group])) for group in groups])
        for operand, shape in zip(operands, shapes)
    ]
    return tf.reshape(function(*joined), whole)


def _groups(shapes: List[List[int]], whole: List[int]) -> List[List[int]]:
    """The dimensions, those side by side in one list in which each operand either has all sizes or ones alone."""
    groups: List[List[int]] = []
    before = None
    for axis, full in enumerate(whole):
        kind = [shape[axis] == full for shape in shapes]
        if groups and (full == 1 or before is None or kind == before):
            groups[-1].append(axis)
            before = before if full == 1 else kind
        else:
            groups.append([axis])
            before = None if full == 1 else kind
    return groups
