"""Col2Im, as the transposed convolution that it is."""

import numpy as np

from ferry.graph.newer_opsets.call import Call
from ferry.graph.newer_opsets.registry import lowers


@lowers("Col2Im", since=18)
def col2im(call: Call) -> None:
    """Blocks added up at their places: a transposed convolution, each of whose filters is a single 1."""
    graph = call.graph
    image, block = call.integers(1, "image sizes"), call.integers(2, "block sizes")
    rank = len(image)
    strides, dilations = (call.get(name, [1] * rank) for name in ("strides", "dilations"))
    pads = call.get("pads", [0] * (2 * rank))
    room = [
        image[axis] + pads[axis] + pads[axis + rank] - dilations[axis] * (block[axis] - 1) - 1 for axis in range(rank)
    ]
    counts = [space // stride + 1 for space, stride in zip(room, strides)]
    count = int(np.prod(block))
    batch, planes, _ = call.shape()
    columns = graph.constant([batch * planes // count, count, *counts], np.int64)
    kernel = np.eye(count, dtype=np.float32).reshape(count, 1, *block)
    made = graph.op(
        "ConvTranspose",
        [graph.op("Reshape", [call.input(0), columns]), graph.constant(kernel)],
        kernel_shape=block,
        strides=strides,
        dilations=dilations,
        pads=pads,
        output_padding=[space % stride for space, stride in zip(room, strides)],
    )
    graph.op("Reshape", [made, graph.constant([batch, planes // count, *image], np.int64)], call.outputs)
