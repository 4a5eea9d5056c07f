"""``Einsum``: a matrix product between transposes for each operand after the first."""

import math
import string
from typing import Dict, List, NamedTuple, Optional, Tuple

import tensorflow as tf

from ferry.graph.operator_registry import lowers
from ferry.lowering.declined import NOT_FLOATING_POINT, UNKNOWN_SHAPE, Declined, Lowered
from ferry.lowering.node import Node
from ferry.lowering.tensors import Tensors, transposed

ELLIPSIS = "..."


class Operand(NamedTuple):
    """A tensor with a letter for each of its dimensions."""

    tensor: tf.Tensor
    letters: str


@lowers("Einsum")
def lower(node: Node, tensors: Tensors) -> Lowered:
    """Sum products of static float operands as ``equation`` says, in the notation of NumPy's ``einsum``."""
    equation = node.attributes["equation"]
    shapes = [tensors.static_shape(name) for name in node.inputs]
    known = [shape for shape in shapes if shape is not None]
    if len(known) < len(shapes):
        return UNKNOWN_SHAPE
    parsed = _parsed(equation, [len(shape) for shape in known])
    if parsed is None:
        return Declined(f"its equation {equation!r} does not fit its operands")
    terms, result = parsed
    if not all(tensors[name].dtype.is_floating for name in node.inputs):
        return NOT_FLOATING_POINT
    sizes: Dict[str, int] = {}
    for term, shape in zip(terms, known):
        for letter, size in zip(term, shape):
            # What an ellipsis stands for is broadcast.
            sizes[letter] = max(size, sizes.get(letter, 1))
    operands = [_own_dimensions(tensors[name], term, sizes) for name, term in zip(node.inputs, terms)]
    made = operands[0]
    for position, other in enumerate(operands[1:], 2):
        needed = result + "".join(operand.letters for operand in operands[position:])
        made = _product(_summed(made, needed + other.letters), _summed(other, needed + made.letters), needed, sizes)
    return [_ordered(_summed(made, result), result)]


def _parsed(equation: str, ranks: List[int]) -> Optional[Tuple[List[str], str]]:
    """The letters of each operand and of the result, with some for what an ellipsis stands for."""
    left, arrow, result = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    free = [letter for letter in string.ascii_letters if letter not in equation]
    extra = max((rank - len(term) + 3 for term, rank in zip(terms, ranks) if ELLIPSIS in term), default=0)
    if len(terms) != len(ranks) or not 0 <= extra <= len(free):
        return None
    whole = "".join(free[:extra])
    if not arrow:
        letters = left.replace(ELLIPSIS, "").replace(",", "")
        result = ELLIPSIS * bool(extra) + "".join(sorted(each for each in set(letters) if letters.count(each) == 1))
    # They are counted from the last one.
    filled = [
        term.replace(ELLIPSIS, whole[len(whole) - (rank - len(term) + 3) :]) if ELLIPSIS in term else term
        for term, rank in zip(terms, ranks)
    ]
    result = result.replace(ELLIPSIS, whole)
    if [len(term) for term in filled] != ranks or not set(result) <= set("".join(filled)) or "." in "".join(filled):
        return None
    return filled, result


def _own_dimensions(x: tf.Tensor, term: str, sizes: Dict[str, int]) -> Operand:
    """``x`` without dimensions of 1 that are broadcast, and of those with one letter the diagonal."""
    kept = [axis for axis, size in enumerate(x.shape.as_list()) if size == sizes[term[axis]]]
    if len(kept) < len(term):
        x, term = tf.reshape(x, [sizes[term[axis]] for axis in kept]), "".join(term[axis] for axis in kept)
    while len(set(term)) < len(term):
        letter = next(each for each in term if term.count(each) > 1)
        places = [axis for axis, each in enumerate(term) if each == letter][:2]
        others = [axis for axis in range(len(term)) if axis not in places]
        turned = transposed(x, [*others, *places])
        flat = tf.reshape(turned, [*(sizes[term[axis]] for axis in others), sizes[letter] ** 2])
        x, term = flat[..., :: sizes[letter] + 1], "".join(term[axis] for axis in others) + letter
    return Operand(x, term)


def _product(left: Operand, right: Operand, needed: str, sizes: Dict[str, int]) -> Operand:
    """The product, summed over what only these two operands have; a batched matrix product where it has all parts."""
    batch = [letter for letter in left.letters if letter in right.letters and letter in needed]
    inner = [letter for letter in left.letters if letter in right.letters and letter not in needed]
    rows = [letter for letter in left.letters if letter not in right.letters]
    columns = [letter for letter in right.letters if letter not in left.letters]
    made = "".join(batch + rows + columns)
    shape = [sizes[letter] for letter in made]
    if batch and not inner:
        a = tf.reshape(
            _ordered(left, "".join(batch + rows)), [sizes[each] for each in batch + rows] + [1] * len(columns)
        )
        between = [sizes[each] for each in batch] + [1] * len(rows) + [sizes[each] for each in columns]
        return Operand(a * tf.reshape(_ordered(right, "".join(batch + columns)), between), made)
    if batch and not rows and not columns:
        both = _ordered(left, "".join(batch + inner)) * _ordered(right, "".join(batch + inner))
        return Operand(tf.reduce_sum(both, list(range(len(batch), len(batch + inner)))), made)
    a = _as_matrices(_ordered(left, "".join(batch + rows + inner)), sizes, batch, rows, inner)
    b = _as_matrices(_ordered(right, "".join(batch + inner + columns)), sizes, batch, inner, columns)
    return Operand(tf.reshape(tf.matmul(a, b), shape), made)


def _summed(operand: Operand, needed: str) -> Operand:
    """``operand`` summed over the dimensions that nothing else reads."""
    axes = [axis for axis, letter in enumerate(operand.letters) if letter not in needed]
    x = tf.reduce_sum(operand.tensor, axes) if axes else operand.tensor
    return Operand(x, "".join(letter for letter in operand.letters if letter in needed))


def _ordered(operand: Operand, wanted: str) -> tf.Tensor:
    x, letters = operand
    return tf.identity(x) if letters == wanted else transposed(x, [letters.index(letter) for letter in wanted])


def _as_matrices(x: tf.Tensor, sizes: Dict[str, int], *groups: List[str]) -> tf.Tensor:
    shape = [math.prod(sizes[letter] for letter in group) for group in groups]
    return tf.reshape(x, shape if groups[0] else shape[1:])
