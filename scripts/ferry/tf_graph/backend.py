"""onnx-tf's backend with Ferry's lowerings, building the same graph on every machine."""

import itertools
import sys
from typing import List

import onnx
import onnx_tf.backend  # noqa: F401  (loads every module that pin_onnx_tf patches)
import tensorflow as tf
from onnx import numpy_helper
from onnx_tf.backend import TensorflowBackend
from onnx_tf.common import data_type

from ferry.errors import UnsupportedModelError
from ferry.lowerings import LOWERINGS


class Backend(TensorflowBackend):
    """Tries Ferry's lowering for each node first, then onnx-tf's own handler."""

    @classmethod
    def _onnx_initializer_to_input_dict_items(cls, initializer):
        # onnx-tf goes through a Python list of floats: seconds, for a model of a few million weights.
        return [
            (entry.name, tf.constant(numpy_helper.to_array(entry), data_type.onnx2tf(entry.data_type), name=entry.name))
            for entry in initializer
        ]

    @classmethod
    def _onnx_node_to_tensorflow_op(cls, node, tensor_dict, handlers=None, opset=None, strict=True):
        try:
            lowering = LOWERINGS.get(node.op_type) if node.domain in ("", "ai.onnx") else None
            outputs = lowering(node, tensor_dict) if lowering else None
            if outputs is not None:
                return outputs
            return super()._onnx_node_to_tensorflow_op(node, tensor_dict, handlers=handlers, opset=opset, strict=strict)
        except UnsupportedModelError:
            raise
        except Exception as error:  # onnx-tf raises RuntimeError, TypeError, KeyError, … for what it lacks.
            reason = str(error).strip().splitlines() or [type(error).__name__]
            raise UnsupportedModelError(
                f"the ONNX operator {node.op_type} (node {node.name or 'without a name'!r}) cannot be carried to "
                f"TensorFlow: {reason[0]}"
            ) from error


def pin_onnx_tf() -> None:
    """Take the machine and chance out of onnx-tf.

    Its ``supports_device`` asks TensorFlow whether a GPU is visible and, if so, bakes NCHW convolutions that no CPU
    can run; its ``get_unique_suffix`` names recurrent layers at random.
    """
    counter = itertools.count()
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] != "onnx_tf":
            continue
        # Each module holds a reference of its own to these two functions.
        if "supports_device" in vars(module):
            vars(module)["supports_device"] = _is_cpu
        if "get_unique_suffix" in vars(module):
            vars(module)["get_unique_suffix"] = lambda: f"{next(counter):08d}"


def _is_cpu(device: str) -> bool:
    return device == "CPU"


def build_graph(model: onnx.ModelProto) -> tf.Graph:
    """Build the TensorFlow graph of ``model``, NCHW inside, with its inputs and outputs under their ONNX names.

    Raises:
        UnsupportedModelError: an operator, or a form of one, that neither Ferry nor onnx-tf 1.6.0 carries.
    """
    pin_onnx_tf()
    rep = Backend.prepare(model, device="CPU", logging_level="ERROR")
    with rep.graph.as_default():
        for name in rep.outputs:
            made = tf.identity(rep.tensor_dict[name], name=name)
            if made.op.name != name:
                raise UnsupportedModelError(f"the output name {name!r} is also the name of a tensor inside the model")
    return rep.graph


def input_names(model: onnx.ModelProto) -> List[str]:
    """The names a caller must feed: graph inputs that are not initializers."""
    initialised = {entry.name for entry in model.graph.initializer}
    return [entry.name for entry in model.graph.input if entry.name not in initialised]
