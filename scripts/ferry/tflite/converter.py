"""Run TensorFlow's TFLite converter on a frozen graph, on a machine set up in any way."""

import importlib.util
import os
import re
import sys
from typing import Any, Dict, List, Optional, Union

from tensorflow.lite.python import convert as convert_protos
from tensorflow.lite.python import util
from tensorflow.python.framework import dtypes

from ferry.errors import UnsupportedModelError, first_line
from ferry.frozen import frozen_graph, made_for
from ferry.frozen.light_graph import LightGraph
from ferry.lowering import old_converter
from ferry.tflite import converted_model, stand_ins
from ferry.tflite.converted_model import ConvertedModel

# The converter lists what it lacks as "tf.Erf {device = …}" or "\tErf"; the name is what a user can search for.
OPERATOR = re.compile(r"'tf\.(\w+)' op|^\s*tf\.(\w+)\b", re.MULTILINE)
# What it says of one names the node too: ``loc("name"): 'tf.Erf' op …``.
LOCATION = re.compile(r"loc\((.*)\): (?:error: )?'tf\.(\w+)' op")


# What the converter may keep the weights in: as they are, in halves, or in int8 with a scale a channel or a tensor.
FLOAT32, FLOAT16, DYNAMIC = "float32", "float16", "dynamic"


def convert(
    graph_def: frozen_graph.GraphDef, allow_flex: bool = True, batch_matmul: bool = True, weights: str = FLOAT32
) -> bytes:
    """Return the TFLite model of ``graph_def``, with builtin operators alone wherever they suffice.

    Batched products are BATCH_MATMUL where ``batch_matmul`` allows it, except with TF 2.2, whose interpreter has none.
    ``weights`` is FLOAT32, FLOAT16 or DYNAMIC; TensorFlow leaves small ones as they are.

    Raises:
        UnsupportedModelError: an operator has no builtin kernel and ``allow_flex`` is false, or has no kernel at all.
    """
    data = _converted(graph_def, allow_flex, weights)
    return bytes(_rolled_up(data)) if batch_matmul else data


def convert_light(light: LightGraph, allow_flex: bool = True, batch_matmul: bool = True) -> ConvertedModel:
    """:func:`convert`, with the large weights kept from TensorFlow wherever that is seen to change nothing else.

    Raises:
        UnsupportedModelError: as ``convert``.
    """
    model = None if old_converter.IS_OLD else _by_stand_ins(light, allow_flex)
    if model is not None and batch_matmul:
        model = model.rewritten(_rolled_up(model.data))
    if model is None:
        model = ConvertedModel(memoryview(bytearray(convert(light.whole(), allow_flex, batch_matmul))), {})
    return model


def _by_stand_ins(light: LightGraph, allow_flex: bool) -> Optional[ConvertedModel]:
    given = stand_ins.chosen(light)
    if not given:
        return None
    model = converted_model.from_run(_converted(stand_ins.graph_with(light, given), allow_flex), given)
    again = _converted(stand_ins.graph_with(light, given, negative=True), allow_flex)
    return model if model.agrees(again) else None


def _rolled_up(data: Union[bytes, memoryview]) -> Union[bytes, memoryview]:
    if importlib.util.find_spec("tensorflow.lite.python.schema_py_generated") is None:
        return data
    from ferry.tflite import batch_products

    return batch_products.rolled_up_in_memory(data)[0]


def _converted(graph_def: frozen_graph.GraphDef, allow_flex: bool, weights: str = FLOAT32) -> bytes:
    put_interpreter_on_path()
    model_flags, flags, _ = convert_protos.build_toco_convert_protos([], [])
    flags.post_training_quantize = weights != FLOAT32
    flags.quantize_to_float16 = weights == FLOAT16
    _describe(graph_def, model_flags)
    data = frozen_graph.to_bytes(graph_def)
    try:
        return _run(model_flags, flags, data)
    except convert_protos.ConverterError as error:
        lacking = operators_in(str(error))
        if not lacking:
            raise UnsupportedModelError(f"the TFLite converter failed: {_said(error, graph_def)}") from error
        if not allow_flex:
            raise UnsupportedModelError(
                f"TFLite has no builtin kernel for {_named(lacking, str(error), graph_def)}, and Flex is refused"
            ) from error
    flags.enable_select_tf_ops = True
    try:
        return _run(model_flags, flags, data)
    except convert_protos.ConverterError as error:
        lacking = operators_in(str(error))
        what = f"no kernel for {_named(lacking, str(error), graph_def)}" if lacking else _said(error, graph_def)
        raise UnsupportedModelError(f"TFLite cannot convert this graph, with Flex or without: {what}") from error


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


def _named(operators: List[str], message: str, graph_def: frozen_graph.GraphDef) -> str:
    """``operators``, which ``message`` says the converter lacks, with the ONNX nodes that each was built for."""
    located: Dict[str, List[str]] = {name: [] for name in operators}
    for places, operator in LOCATION.findall(message):
        located.setdefault(operator, []).extend(re.findall(r'"([^"]+)"', places))
    nodes = made_for.onnx_nodes(graph_def)
    named = []
    for operator in operators:
        of_the_kind = [node.name for node in graph_def.node if node.op == operator]
        built_for = made_for.listed(located[operator], nodes) or made_for.listed(of_the_kind, nodes)
        named.append(f"{operator} (built for {built_for})" if built_for else operator)
    return ", ".join(named)


def _said(error: Exception, graph_def: frozen_graph.GraphDef) -> str:
    """The first line of ``error``, with the ONNX node that the operator it names was built for."""
    said = first_line(error)
    built_for = made_for.listed(re.findall(r'loc\("([^"]+)"\)', said), made_for.onnx_nodes(graph_def))
    return f"{said} (built for {built_for})" if built_for else said


def _describe(graph_def: frozen_graph.GraphDef, model_flags: Any) -> None:
    """Say in ``model_flags`` what the inputs and outputs of ``graph_def`` are."""
    for node in graph_def.node:
        if node.op == "Placeholder":
            array = model_flags.input_arrays.add(name=node.name)
            array.shape.dims.extend(dim.size for dim in node.attr["shape"].shape.dim)
            kind = dtypes.as_dtype(node.attr["dtype"].type)
            try:
                # Of types that TFLite lacks, such as uint16, the converter would make others of the same width.
                array.data_type = util.convert_dtype_to_tflite_type(kind)
            except ValueError as error:
                raise UnsupportedModelError(f"the TFLite converter failed: {first_line(error)}") from error
    model_flags.output_arrays.extend(frozen_graph.output_names(graph_def))


def _run(model_flags: Any, flags: Any, data: bytes) -> bytes:
    """Run the converter itself on a serialized graph, as ``tf.compat.v1.lite.TFLiteConverter`` does.

    That class holds the graph, and with it the weights, five times more than the converter needs.
    """
    return convert_protos.toco_convert_protos(
        model_flags.SerializeToString(), flags.SerializeToString(), data, enable_mlir_converter=True
    )
