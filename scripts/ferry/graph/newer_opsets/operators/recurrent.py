"""LSTM, GRU and RNN with the batch first."""

from ferry.graph.newer_opsets import unchanged
from ferry.graph.newer_opsets.call import Call
from ferry.graph.newer_opsets.registry import lowers

# Positions of the initial states; those of the outputs after the whole sequence's.
_STATES = (5, 6)


@lowers("LSTM", "GRU", "RNN", since=14)
def recurrent(call: Call) -> None:
    """With ``layout`` 1 the batch comes first in all that goes in and out; opset 12 has the time first."""
    graph, node = call.graph, call.node
    attributes = {name: value for name, value in call.attributes.items() if name != "layout"}
    if not call.get("layout", 0):
        unchanged.write(call, without="layout")
        return
    inputs = list(node.input)
    inputs[0] = graph.op("Transpose", [call.input(0)], perm=[1, 0, 2])
    for position in _STATES:
        if call.has(position):
            inputs[position] = graph.op("Transpose", [inputs[position]], perm=[1, 0, 2])
    inner = [graph.names.new(f"{name}/time_first") if name else "" for name in node.output]
    graph.op(node.op_type, inputs, inner, **attributes)
    for position, name in enumerate(node.output):
        if name:
            graph.op("Transpose", [inner[position]], [name], perm=[1, 0, 2] if position else [2, 0, 1, 3])
