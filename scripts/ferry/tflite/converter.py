"""Run TensorFlow's TFLite converter on a frozen graph, on a machine set up in any way."""

import importlib.util
import os
import re
import sys
import tempfile

import tensorflow as tf

from ferry.errors import UnsupportedModelError, first_line
from ferry.frozen import frozen_graph

# The converter lists what it lacks as "tf.Erf {device = …}" or "\tErf"; the name is what a user can search for.
OPERATOR = re.compile(r"'tf\.(\w+)' op|^\s*tf\.(\w+)\b", re.MULTILINE)


def convert(graph_def: frozen_graph.GraphDef, allow_flex: bool = True) -> bytes:
    """Return the TFLite model of ``graph_def``, with builtin operators alone wherever they suffice.

    Batched products are BATCH_MATMUL, except with TF 2.2, whose interpreter has none.

    Raises:
        UnsupportedModelError: an operator has no builtin kernel and ``allow_flex`` is false, or has no kernel at all.
    """
    data = _converted(graph_def, allow_flex)
    if importlib.util.find_spec("tensorflow.lite.python.schema_py_generated") is None:
        return data
    from ferry.tflite import batch_products

    return batch_products.rolled_up(data)[0]


def _converted(graph_def: frozen_graph.GraphDef, allow_flex: bool) -> bytes:
    put_interpreter_on_path()
    with tempfile.TemporaryDirectory(prefix="ferry-") as folder:
        path = os.path.join(folder, "model.pb")
        with open(path, "wb") as file:
            file.write(frozen_graph.to_bytes(graph_def))
        names = frozen_graph.input_names(graph_def), frozen_graph.output_names(graph_def)
        try:
            return _converter(path, *names).convert()
        except Exception as error:
            lacking = operators_in(str(error))
            if not lacking:
                raise UnsupportedModelError(f"the TFLite converter failed: {first_line(error)}") from error
            if not allow_flex:
                raise UnsupportedModelError(
                    f"TFLite has no builtin kernel for {', '.join(lacking)}, and Flex is refused"
                ) from error
        converter = _converter(path, *names)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
        try:
            return converter.convert()
        except Exception as error:
            lacking = operators_in(str(error))
            what = f"no kernel for {', '.join(lacking)}" if lacking else first_line(error)
            raise UnsupportedModelError(f"TFLite cannot carry this graph, with Flex or without: {what}") from error


def put_interpreter_on_path() -> None:
    """Put the running interpreter's own ``bin`` first on PATH.

    TF 2.2, and TF 2.4's old converter, start ``toco_from_protos`` by name, which lies there. Without a virtual
    environment activated it is not found: ``Could not find toco_from_protos binary``.
    """
    folder = os.path.dirname(sys.executable)
    os.environ["PATH"] = os.pathsep.join(filter(None, [folder, os.environ.get("PATH", "")]))


def operators_in(message: str) -> list:
    """The TensorFlow operators that a converter's error names, sorted."""
    return sorted({first or second for first, second in OPERATOR.findall(message)})


def _converter(path: str, inputs: list, outputs: list) -> tf.compat.v1.lite.TFLiteConverter:
    return tf.compat.v1.lite.TFLiteConverter.from_frozen_graph(path, inputs, outputs)
