"""Which tensors somebody wants with their channels last."""

from typing import Set

import onnx

# These have channels-last kernels alone.
CHANNELS_LAST = {
    "AveragePool", "BatchNormalization", "Conv", "ConvTranspose", "MaxPool", "Resize", "Upsample",
}  # fmt: skip
# These work in the layout they find.
ANY_LAYOUT = {
    "Abs", "Add", "Clip", "Concat", "Div", "Elu", "Gather", "GlobalAveragePool", "GlobalMaxPool", "HardSigmoid",
    "Identity", "LeakyRelu", "Max", "Min", "Mul", "Neg", "PRelu", "Pad", "ReduceMean", "Relu", "Sigmoid", "Slice",
    "Split", "Sub", "Tanh",
}  # fmt: skip


def wanted_last(model: onnx.ModelProto) -> Set[str]:
    """The tensors that lead to a convolution or a pool without a change of layout on the way."""
    wanted: Set[str] = set()
    for node in reversed(model.graph.node):
        if node.op_type in CHANNELS_LAST or (node.op_type in ANY_LAYOUT and wanted.intersection(node.output)):
            wanted.update(node.input[:1] if node.op_type in CHANNELS_LAST else node.input)
    return wanted
