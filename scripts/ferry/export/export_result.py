"""What comes of an export, whichever PyTorch has made it."""

from typing import List, NamedTuple

import onnx


class Exported(NamedTuple):
    """A checked ONNX model, and what its maker should know of it, one sentence each."""

    model: onnx.ModelProto
    remarks: List[str]
