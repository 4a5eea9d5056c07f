"""What a lowering returns: the tensors it made, or why it cannot take the node."""

from typing import List, NamedTuple, Union

from ferry.lowering.tensors import Made


class Declined(NamedTuple):
    """Why a lowering cannot take a node.

    ``reason`` goes on from "the ONNX operator X cannot be converted:". It is what the user reads where onnx-tf cannot
    take the node either. ``onnx_tf_differs`` says that onnx-tf 1.6.0 would take it, and compute something else than
    ONNX says: it is not asked then.
    """

    reason: str
    onnx_tf_differs: bool = False


Lowered = Union[List[Made], Declined]

UNKNOWN_RANK = Declined("how many dimensions its input has depends on the values of the model's inputs")
UNKNOWN_SHAPE = Declined("the shape of its input is not static")
NOT_FLOATING_POINT = Declined("its input is not floating point")
NOT_FLOAT32 = Declined("its input is not float32")
