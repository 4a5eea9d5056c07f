"""QuantizeLinear and DequantizeLinear with one scale: those with more came with opset 13."""

from ferry.graph.newer_opsets import unchanged
from ferry.graph.newer_opsets.call import Call
from ferry.graph.newer_opsets.registry import lowers


@lowers("QuantizeLinear", "DequantizeLinear", since=13)
def quantization(call: Call) -> None:
    """As it is where the scale is one number."""
    shape = call.graph.type_of(call.input(1)).shape
    if shape not in ((), (1,)):
        raise call.refuse("it has a scale for each channel or block, and opset 12 knows one scale alone")
    unchanged.write(call, without="axis")
