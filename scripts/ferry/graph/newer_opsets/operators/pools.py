"""Pools whose last window would begin in the padding: newer opsets leave that window out, as PyTorch does."""

from typing import List, Tuple

from ferry.graph.newer_opsets import unchanged
from ferry.graph.newer_opsets.call import Call
from ferry.graph.newer_opsets.registry import lowers


@lowers("MaxPool", "AveragePool", "LpPool", since=13)
def pool(call: Call) -> None:
    """With ``ceil_mode``, a pool of which one window is left out is the same as one without ``ceil_mode``."""
    kernel = call.get("kernel_shape", [])
    if not call.get("ceil_mode", 0) or call.get("auto_pad", "NOTSET") != "NOTSET" or not kernel:
        unchanged.write(call)
        return
    counts = [_windows(call, axis) for axis in range(len(kernel))]
    if all(kept == rounded_up for _, rounded_up, kept in counts):
        unchanged.write(call)
    elif all(kept == rounded_down for rounded_down, _, kept in counts):
        unchanged.write(call, without="ceil_mode")
    else:
        raise call.refuse("along one axis its last window begins in the padding, and along another it does not")


def _windows(call: Call, axis: int) -> Tuple[int, int, int]:
    """How many windows there are along an axis: rounded down, rounded up, and as newer opsets count them."""
    sizes = call.shape()[2:]
    rank = len(sizes)
    pads: List[int] = call.get("pads", [0] * (2 * rank))
    stride = call.get("strides", [1] * rank)[axis]
    reach = (call.get("kernel_shape")[axis] - 1) * call.get("dilations", [1] * rank)[axis] + 1
    room = sizes[axis] + pads[axis] + pads[axis + rank] - reach
    rounded_down, rounded_up = room // stride + 1, -(-room // stride) + 1
    kept = rounded_up - 1 if (rounded_up - 1) * stride >= sizes[axis] + pads[axis] else rounded_up
    return rounded_down, rounded_up, kept
