"""Activations that are operators now, written as PyTorch 1.5.1 exports them: the later stages know these forms."""

import numpy as np

from ferry.graph.newer_opsets import unchanged
from ferry.graph.newer_opsets.call import Call
from ferry.graph.newer_opsets.registry import lowers


@lowers("Gelu", since=20)
def gelu(call: Call) -> None:
    """``x (1 + erf(x / sqrt 2)) / 2``, or its approximation by the hyperbolic tangent."""
    graph, x = call.graph, call.input(0)
    if call.get("approximate", "none") == "tanh":
        cube = graph.op("Pow", [x, graph.scalar(3, x)])
        inner = graph.op("Add", [x, graph.op("Mul", [cube, graph.scalar(0.044715, x)])])
        bent = graph.op("Tanh", [graph.op("Mul", [inner, graph.scalar(np.sqrt(2 / np.pi), x)])])
    else:
        bent = graph.op("Erf", [graph.op("Div", [x, graph.scalar(np.sqrt(2), x)])])
    product = graph.op("Mul", [x, graph.op("Add", [bent, graph.scalar(1, x)])])
    graph.op("Mul", [product, graph.scalar(0.5, x)], call.outputs)


@lowers("HardSwish", since=14)
def hard_swish(call: Call) -> None:
    """``x relu6(x + 3) / 6``: of this form TensorFlow's converter makes its own HARD_SWISH."""
    graph, x = call.graph, call.input(0)
    shifted = graph.op("Add", [x, graph.scalar(3, x)])
    clipped = graph.op("Clip", [shifted, graph.scalar(0, x), graph.scalar(6, x)])
    graph.op("Div", [graph.op("Mul", [x, clipped]), graph.scalar(6, x)], call.outputs)


@lowers("Mish", since=18)
def mish(call: Call) -> None:
    """``x tanh(log(1 + e^x))``."""
    x = call.input(0)
    call.graph.op("Mul", [x, call.graph.op("Tanh", [call.graph.op("Softplus", [x])])], call.outputs)


@lowers("Swish", since=24)
def swish(call: Call) -> None:
    """``x sigmoid(alpha x)``."""
    x = call.input(0)
    call.graph.op("Mul", [x, _sigmoid(call, x)], call.outputs)


@lowers("SwiGLU", since=28)
def swiglu(call: Call) -> None:
    """The swish of one input times the other."""
    gate = call.input(0)
    gated = call.graph.op("Mul", [gate, _sigmoid(call, gate)])
    call.graph.op("Mul", [gated, call.input(1)], call.outputs)


def _sigmoid(call: Call, x: str) -> str:
    alpha = call.get("alpha", 1.0)
    return call.graph.op("Sigmoid", [x if alpha == 1 else call.graph.op("Mul", [x, call.graph.scalar(alpha, x)])])


@lowers("Relu", since=14)
def relu(call: Call) -> None:
    """Of whole numbers, which came with opset 14, it is the larger of the number and 0."""
    x = call.input(0)
    if call.is_float():
        unchanged.write(call)
    else:
        call.graph.op("Max", [x, call.graph.scalar(0, x)], call.outputs)


@lowers("Softmax", "LogSoftmax", "Hardmax", since=13)
def softmax(call: Call) -> None:
    """Opset 13 computes it over one axis, opset 12 over all axes from that one on: the same where it is the last."""
    graph, kind, x = call.graph, call.node.op_type, call.input(0)
    axis = call.get("axis", -1)
    if axis == -1:
        graph.op(kind, [x], call.outputs, axis=-1 if call.graph.type_of(x).shape is None else call.rank() - 1)
        return
    rank = call.rank()
    axis = call.checked_axis(axis, rank)
    if axis == rank - 1:
        graph.op(kind, [x], call.outputs, axis=axis)
        return
    order = list(range(rank))
    order[axis], order[-1] = order[-1], order[axis]
    last = graph.op(kind, [graph.op("Transpose", [x], perm=order)], axis=rank - 1)
    graph.op("Transpose", [last], call.outputs, perm=order)


@lowers("Mod", since=13)
def modulo(call: Call) -> None:
    """Of floats with the divisor's sign, which opset 12 has for whole numbers alone."""
    if call.get("fmod", 0) or not call.is_float():
        unchanged.write(call)
        return
    graph, x, divisor = call.graph, call.input(0), call.input(1)
    rest = graph.op("Mod", [x, divisor], fmod=1)
    product = graph.op("Mul", [rest, graph.op("Sign", [divisor])])
    otherwise_signed = graph.op("Less", [product, graph.scalar(0, x)])
    graph.op("Where", [otherwise_signed, graph.op("Add", [rest, divisor]), rest], call.outputs)
