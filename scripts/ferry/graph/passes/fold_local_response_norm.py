"""Recognise PyTorch's local response norm, which it writes with a pool of three dimensions, and make it one ``LRN``.

TFLite has an operator for it, and the Flex delegate alone pools in three dimensions.
"""

from typing import List, NamedTuple, Optional

from ferry.graph.graph import Graph
from ferry.graph.node import Node, Value

# What only gives the squares another shape around the pool.
SHAPING = ("Reshape", "Squeeze", "Unsqueeze")


class Norm(NamedTuple):
    """``x / (bias + alpha · mean of size squares) ** beta`` over neighbouring channels."""

    x: Value
    size: int
    alpha: float
    beta: float
    bias: float


def fold_local_response_norm(graph: Graph) -> bool:
    """Rewrite each norm over an odd number of channels of a static (N, C, …) tensor."""
    changed = False
    for node in graph:
        norm = _norm(node)
        if norm is not None:
            attributes = {"size": norm.size, "alpha": norm.alpha, "beta": norm.beta, "bias": norm.bias}
            graph.replace([node], "LRN", [norm.x], attributes)
            changed = True
    return changed


def _norm(node: Node) -> Optional[Norm]:
    x = node.input(0) if node.is_a("Div") else None
    shape = x.static_shape if x is not None else None
    if x is None or shape is None or len(shape) != 4:
        return None
    power = _made_alone(node.input(1), "Pow")
    total = _made_alone(power.input(0), "Add") if power else None
    scaled = _made_alone(total.input(0), "Mul") if total else None
    numbers = [_number(each.input(1)) for each in (scaled, total, power) if each is not None]
    if scaled is None or len(numbers) != 3:
        return None
    walked: List[Node] = []
    pool = _before(scaled.input(0), SHAPING, "AveragePool", walked)
    square = _before(pool.input(0), (*SHAPING, "Pad"), "Mul", walked) if pool else None
    if pool is None or square is None or [square.input(0), square.input(1)] != [x, x]:
        return None
    size = _size(pool, walked, shape[1])
    alpha, bias, beta = numbers
    if size is None or alpha is None or bias is None or beta is None:
        return None
    return Norm(x, size, alpha, beta, bias)


def _size(pool: Node, walked: List[Node], channels: int) -> Optional[int]:
    """Over how many channels, an odd number, ``pool`` takes the mean; ``None`` where it does something else."""
    source = pool.input(0)
    shape = source.static_shape if source is not None else None
    kernel = pool.attribute("kernel_shape")
    size, *others = kernel
    if shape is None or len(shape) != len(kernel) + 2 or size % 2 == 0 or any(other != 1 for other in others):
        return None
    strides, pads = pool.attribute("strides", [1]), pool.attribute("pads", [0])
    if any(stride != 1 for stride in strides) or any(pads) or shape[1] != 1 or shape[2] != channels + size - 1:
        return None
    widths = [0] * (2 * len(shape))
    for each in walked:
        if each.is_a("Pad"):
            given = each.input(1)
            if given is None or given.constant is None or each.attribute("mode", b"constant") != b"constant":
                return None
            if len(each.inputs) > 2 and each.input(2) is not None and _number(each.input(2)) != 0:
                return None
            widths = [one + int(more) for one, more in zip(widths, given.array)]
    expected = [0] * len(widths)
    expected[2] = expected[len(shape) + 2] = size // 2
    return size if widths == expected else None


def _made_alone(value: Optional[Value], operator: str) -> Optional[Node]:
    """The node of ``operator`` that makes ``value``, which nothing else reads."""
    node = value.producer if value is not None and value.sole_use is not None else None
    return node if node is not None and node.is_a(operator) else None


def _before(value: Optional[Value], through: "tuple", operator: str, walked: List[Node]) -> Optional[Node]:
    """The node of ``operator`` from which ``value`` comes by nodes of the kinds ``through``, which go to ``walked``."""
    node = value.producer if value is not None and value.sole_use is not None else None
    while node is not None and node.is_a(*through):
        walked.append(node)
        value = node.input(0)
        node = value.producer if value is not None and value.sole_use is not None else None
    return node if node is not None and node.is_a(operator) else None


def _number(value: Optional[Value]) -> Optional[float]:
    constant = value.constant if value is not None else None
    return float(constant.reshape(())) if constant is not None and constant.size == 1 else None
