"""``Einsum`` of one or two operands without repeated or broadcast dimensions: one matrix product between transposes."""

from typing import List, Tuple

import tensorflow as tf

from ferry.graph.operator_registry import lowers
from ferry.lowering.declined import NOT_FLOATING_POINT, UNKNOWN_SHAPE, Declined, Lowered
from ferry.lowering.node import Node
from ferry.lowering.tensors import Tensors, transposed


@lowers("Einsum")
def lower(node: Node, tensors: Tensors) -> Lowered:
    """Sum products of static float operands as ``equation`` says, in the notation of NumPy's ``einsum``."""
    equation = node.attributes["equation"]
    terms, result = _parsed(equation)
    shapes = [tensors.static_shape(name) for name in node.inputs]
    repeated = any(len(set(term)) < len(term) for term in terms)
    if "." in equation or repeated or len(terms) > 2:
        return Declined(f"its equation {equation!r} has an ellipsis, a repeated letter or more than two operands")
    if any(shape is None for shape in shapes):
        return UNKNOWN_SHAPE
    if [len(term) for term in terms] != [len(shape or []) for shape in shapes] or set(result) - set("".join(terms)):
        return Declined(f"its equation {equation!r} does not fit its operands")
    operands = [tensors[name] for name in node.inputs]
    if not all(operand.dtype.is_floating for operand in operands):
        return NOT_FLOATING_POINT
    sizes = {letter: size for term, shape in zip(terms, shapes) for letter, size in zip(term, shape or [])}
    if len(terms) == 1:
        x, letters = _summed(operands[0], terms[0], result)
        return [_ordered(x, letters, result)]
    (a, left), (b, right) = (
        _summed(operand, term, result + other) for operand, term, other in zip(operands, terms, reversed(terms))
    )
    batch = [letter for letter in left if letter in right and letter in result]
    inner = [letter for letter in left if letter in right and letter not in result]
    rows = [letter for letter in left if letter not in right]
    columns = [letter for letter in right if letter not in left]
    a = _as_matrices(_ordered(a, left, "".join(batch + rows + inner)), sizes, batch, rows, inner)
    b = _as_matrices(_ordered(b, right, "".join(batch + inner + columns)), sizes, batch, inner, columns)
    product = tf.reshape(tf.matmul(a, b), [sizes[letter] for letter in batch + rows + columns])
    return [_ordered(product, "".join(batch + rows + columns), result)]


def _parsed(equation: str) -> Tuple[List[str], str]:
    operands, _, result = equation.replace(" ", "").partition("->")
    terms = operands.split(",")
    if "->" not in equation:
        letters = "".join(terms)
        result = "".join(sorted(letter for letter in set(letters) if letters.count(letter) == 1))
    return terms, result


def _summed(x: tf.Tensor, term: str, needed: str) -> Tuple[tf.Tensor, str]:
    """``x`` summed over the dimensions that nothing else reads."""
    axes = [axis for axis, letter in enumerate(term) if letter not in needed]
    return (tf.reduce_sum(x, axes) if axes else x), "".join(letter for letter in term if letter in needed)


def _ordered(x: tf.Tensor, letters: str, wanted: str) -> tf.Tensor:
    return tf.identity(x) if letters == wanted else transposed(x, [letters.index(letter) for letter in wanted])


def _as_matrices(x: tf.Tensor, sizes: dict, *groups: List[str]) -> tf.Tensor:
    shape = []
    for group in groups:
        size = 1
        for letter in group:
            size *= sizes[letter]
        shape.append(size)
    return tf.reshape(x, shape if groups[0] else shape[1:])
