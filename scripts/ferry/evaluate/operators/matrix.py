"""Products of matrices."""

from typing import List, Optional, Union

import numpy as np

from ferry.evaluate.bounded import OTHER_FORMS, Bounded, error_of, errors, gamma, largest_magnitude, rounding
from ferry.evaluate.operators.arithmetic import add, multiply
from ferry.evaluate.registry import Node, NotEvaluatedError, given, operator, required


def product(first: Bounded, second: Bounded, bounds: bool) -> Bounded:
    """``first @ second``. A sum is off by as many roundings as it has terms that are not zero, in any order."""
    value = np.asarray(np.matmul(first.value, second.value))
    if not bounds or value.dtype.kind != "f":
        return Bounded(value)
    left, right = largest_magnitude(first), largest_magnitude(second)
    size = np.matmul(left, right)
    error = gamma(_terms(left, right) + OTHER_FORMS) * size
    if errors(first, second):
        if first.error is not None:
            error = error + np.matmul(first.error, right)
        if second.error is not None:
            error = error + np.matmul(left, second.error)
    return Bounded(value, np.asarray(error))


def _terms(left: np.ndarray, right: np.ndarray) -> Union[int, np.ndarray]:
    """No more terms than either of the two has elements that are not zero."""
    if left.ndim < 2 or right.ndim < 2:
        return int(min(np.count_nonzero(left, -1).max(initial=0), left.shape[-1]))
    return np.minimum(np.count_nonzero(left, -1)[..., :, None], np.count_nonzero(right, -2)[..., None, :])


@operator("MatMul")
def matmul(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """As NumPy's."""
    return [product(required(inputs), required(inputs, 1), node.bounds)]


@operator("Gemm")
def gemm(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """alpha · A · B + beta · C, either operand transposed."""
    a, b, c = required(inputs), required(inputs, 1), given(inputs, 2)
    a = a.moved(np.transpose) if node.attribute("transA", 0) else a
    b = b.moved(np.transpose) if node.attribute("transB", 0) else b
    made = _scaled(product(a, b, node.bounds), node.attribute("alpha", 1.0), node.bounds)
    if c is None:
        return [made]
    total = add(made, _scaled(c, node.attribute("beta", 1.0), node.bounds), node.bounds)
    if total.error is not None:
        # The bias may be what a sum begins with, and each term then rounds beside it.
        terms = _terms(largest_magnitude(a), largest_magnitude(b))
        size = abs(node.attribute("beta", 1.0)) * np.abs(c.value)
        total = total._replace(error=total.error + gamma(terms + OTHER_FORMS) * size)
    return [total]


def _scaled(x: Bounded, factor: float, bounds: bool) -> Bounded:
    return x if factor == 1 else multiply(x, Bounded(np.asarray(factor, x.value.dtype)), bounds)


@operator("Einsum")
def einsum(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """Any sum of products, by its equation."""
    equation, tensors = node.attribute("equation"), [each for each in inputs if each is not None]
    value = np.asarray(np.einsum(equation, *(each.value for each in tensors), optimize=True))
    if not node.bounds or value.dtype.kind != "f":
        return [Bounded(value)]
    sizes = [largest_magnitude(each) for each in tensors]
    size = np.asarray(np.einsum(equation, *sizes, optimize=True))
    terms = np.einsum(equation, *(np.ones(each.value.shape) for each in tensors), optimize=True)
    error = gamma(terms + OTHER_FORMS + len(tensors)) * size
    for position, each in enumerate(tensors):
        if each.error is not None:
            others = [each.error if at == position else sizes[at] for at in range(len(sizes))]
            error = error + np.einsum(equation, *others, optimize=True)
    return [Bounded(value, error)]


@operator("Det")
def determinant(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """The determinant, of which no bound is known here."""
    if node.bounds:
        raise NotEvaluatedError("the bound of Det")
    return [Bounded(np.asarray(np.linalg.det(required(inputs).value)))]


def biased(total: Bounded, bias: Optional[Bounded], shape: List[int], terms: Union[int, np.ndarray]) -> Bounded:
    """``total``, sums of so many ``terms``, and a constant a channel.

    Some runtimes begin the sum with it, and each term then rounds beside it.
    """
    if bias is None:
        return total
    shift = bias.moved(lambda array: array.reshape(shape))
    value = total.value + shift.value
    if total.error is None:
        return Bounded(value)
    error = total.error + error_of(shift) + gamma(terms + OTHER_FORMS) * np.abs(shift.value)
    return Bounded(value, error + rounding(value, 1))
