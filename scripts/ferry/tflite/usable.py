"""Whether a TFLite model that was converted without an error can be run at all."""

import re
from typing import Dict, Optional, Union

import numpy as np
import tensorflow as tf

from ferry.errors import UnsupportedModelError, first_line
from ferry.frozen import made_for
from ferry.graph.onnx_node import OnnxNode
from ferry.tflite import flatbuffer

# The interpreter of TF 2.2 and 2.4 neither takes nor gives what is of another type.
INTERFACE_TYPES = {
    *("bool_", "bytes_", "str_", "complex64", "float16", "float32"),
    *("int8", "int16", "int32", "int64", "uint8"),
}


# How the interpreter says which operator it cannot prepare.
_POSITION = re.compile(r"Node number (\d+) \(")


def refuse_unusable(
    data: Union[bytes, memoryview], nodes: Optional[Dict[str, OnnxNode]] = None, path: Optional[str] = None
) -> None:
    """Raise UnsupportedModelError if TFLite's interpreter cannot prepare the model ``data``, or cannot be fed.

    ``path`` is the model's file, if there is one: it is mapped into memory, where bytes would be held.
    ``nodes`` is the ONNX node that each operator of the frozen graph was built for; see :mod:`made_for`.
    """
    try:
        interpreter = tf.lite.Interpreter(path) if path else tf.lite.Interpreter(model_content=data)
        details = [*interpreter.get_input_details(), *interpreter.get_output_details()]
        kinds = {each["name"]: each["dtype"].__name__ for each in details}
        odd = {name: kind for name, kind in kinds.items() if kind not in INTERFACE_TYPES}
        if odd:
            raise UnsupportedModelError(
                f"TFLite passes no {', '.join(sorted(set(odd.values())))} in or out, which {', '.join(odd)} would be"
            )
        interpreter.allocate_tensors()
    except (RuntimeError, ValueError) as error:
        if "Regular TensorFlow ops are not supported" in str(error):
            # TF 2.2's interpreter is without the Flex delegate; the app's may have it.
            return
        reason = first_line(error)
        found = _POSITION.search(str(error))
        made = flatbuffer.tensors_made(data, int(found.group(1))) if found else []
        # A tensor is named after all the operators that became one with its own.
        built_for = made_for.listed([part for name in made for part in name.split(";")], nodes or {})
        if built_for:
            reason += f" (built for {built_for})"
        raise UnsupportedModelError(f"TFLite's interpreter cannot prepare the converted model: {reason}") from error


def refuse_what_does_not_run(data: bytes) -> None:
    """Raise UnsupportedModelError if TFLite's interpreter cannot run ``data`` once, on zeros."""
    refuse_unusable(data)
    interpreter = tf.lite.Interpreter(model_content=data)
    try:
        interpreter.allocate_tensors()
        for detail in interpreter.get_input_details():
            interpreter.set_tensor(detail["index"], np.zeros(detail["shape"], detail["dtype"]))
        interpreter.invoke()
    except (RuntimeError, ValueError) as error:
        if "Regular TensorFlow ops are not supported" in str(error):
            return
        raise UnsupportedModelError(
            f"TFLite's interpreter cannot run the converted model: {first_line(error)}"
        ) from error
