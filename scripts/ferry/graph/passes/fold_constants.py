"""Compute at build time whatever does not depend on the model's input.

PyTorch exports ``x.reshape(x.shape[0], -1)`` as int64 arithmetic on the shape of ``x``. TFLite's interpreter refuses
to add int64, so that arithmetic must be gone before TensorFlow sees the graph. Where shape inference knows a tensor's
shape the arithmetic is constant, and ONNX Runtime computes it, once, here.
"""

from typing import Dict, List, Set

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper, shape_inference

from ferry.graph.node_list import replace_nodes
from ferry.graph.onnx_file import initializers, keep_initializers, replace_initializers

# Never constant, whatever their inputs are.
RANDOM_OPERATORS = {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Dropout"}
# Never constant arrays.
SEQUENCE_OPERATORS = {"SequenceConstruct", "SequenceEmpty", "SplitToSequence"}
# A constant that would grow the file by more than this stays an operator (Expand, Tile, ConstantOfShape).
LARGEST_GROWTH_BYTES = 1 << 20


def fold_constants(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return ``model`` with every constant subgraph replaced by an initializer, and dead nodes removed.

    A ``Shape`` whose operand has a static inferred shape counts as constant. The input model is left as it was.
    """
    model = _copy(model)
    constants = _constant_nodes_to_initializers(model)
    # What a Reshape asks for, shape inference is to see at once.
    replace_initializers(model, constants)
    while True:
        folded = _fold_shapes(model, constants)
        folded |= _fold_nodes(model, constants)
        replace_initializers(model, constants)
        if not folded:
            break
    remove_dead_nodes(model)
    return model


def remove_dead_nodes(model: onnx.ModelProto) -> None:
    """Drop, in place, the nodes and initializers that no output depends on."""
    needed = {output.name for output in model.graph.output}
    live: List[onnx.NodeProto] = []
    for node in reversed(model.graph.node):
        if needed.intersection(node.output):
            live.append(node)
            needed.update(inputs_of(node))
    live.reverse()
    replace_nodes(model, live)
    keep_initializers(model, needed)


def _copy(model: onnx.ModelProto) -> onnx.ModelProto:
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    return copy


def inputs_of(node: onnx.NodeProto) -> Set[str]:
    """The tensors ``node`` reads, those read inside its subgraphs (If, Loop) included."""
    names = set(node.input)
    for attribute in node.attribute:
        for graph in [attribute.g, *attribute.graphs]:
            for inner in graph.node:
                names |= inputs_of(inner)
            names.update(output.name for output in graph.output)
    return names - {""}


def _constant_nodes_to_initializers(model: onnx.ModelProto) -> Dict[str, np.ndarray]:
    constants = initializers(model)
    rest = []
    for node in model.graph.node:
        value = next((entry for entry in node.attribute if entry.name == "value"), None)
        if node.op_type == "Constant" and value is not None:
            constants[node.output[0]] = numpy_helper.to_array(value.t)
        else:
            rest.append(node)
    replace_nodes(model, rest)
    return constants


def _fold_shapes(model: onnx.ModelProto, constants: Dict[str, np.ndarray]) -> bool:
    if not any(node.op_type == "Shape" for node in model.graph.node):
        return False
    shapes = static_shapes(model)
    rest = []
    for node in model.graph.node:
        if node.op_type == "Shape" and node.input[0] in shapes:
            constants[node.output[0]] = np.array(shapes[node.input[0]], dtype=np.int64)
        else:
            rest.append(node)
    folded = len(rest) < len(model.graph.node)
    replace_nodes(model, rest)
    return folded


def static_shapes(model: onnx.ModelProto) -> Dict[str, List[int]]:
    """The shape of each tensor whose every dimension shape inference knows."""
    inferred = shape_inference.infer_shapes(skeleton(model)).graph
    shapes = {}
    for info in [*inferred.input, *inferred.value_info, *inferred.output]:
        tensor = info.type.tensor_type
        if tensor.HasField("shape") and all(dim.HasField("dim_value") for dim in tensor.shape.dim):
            shapes[info.name] = [dim.dim_value for dim in tensor.shape.dim]
    return shapes


def skeleton(model: onnx.ModelProto) -> onnx.ModelProto:
    """``model`` without its weights, for shape inference.

    ONNX 1.7.0 infers nothing from an initializer that is not also a graph input, so each is declared as one; the
    values stay only of integer tensors, which may be the shape that a ``Reshape`` asks for.
    """
    skeleton = onnx.ModelProto(ir_version=model.ir_version, opset_import=model.opset_import)
    graph = skeleton.graph
    graph.name = model.graph.name or "graph"
    graph.node.extend(model.graph.node)
    graph.input.extend(model.graph.input)
    graph.output.extend(model.graph.output)
    declared = {entry.name for entry in graph.input}
    for entry in model.graph.initializer:
        if entry.name not in declared:
            graph.input.append(helper.make_tensor_value_info(entry.name, entry.data_type, list(entry.dims)))
        if entry.data_type in (onnx.TensorProto.INT32, onnx.TensorProto.INT64):
            graph.initializer.append(entry)
    return skeleton


def _fold_nodes(model: onnx.ModelProto, constants: Dict[str, np.ndarray]) -> bool:
    known = set(constants)
    foldable, rest = [], []
    for node in model.graph.node:
        if _is_constant(node, known):
            foldable.append(node)
            known.update(node.output)
        else:
            rest.append(node)
    if not foldable:
        return False
    results = _evaluate(foldable, constants, model)
    budget = LARGEST_GROWTH_BYTES + sum(array.nbytes for array in constants.values())
    if sum(array.nbytes for array in results.values()) > budget:
        return False
    constants.update(results)
    replace_nodes(model, rest)
    return True


def _is_constant(node: onnx.NodeProto, known: Set[str]) -> bool:
    has_subgraph = any(entry.HasField("g") or entry.graphs for entry in node.attribute)
    return (
        not has_subgraph
        and node.op_type not in RANDOM_OPERATORS | SEQUENCE_OPERATORS
        and node.domain in ("", "ai.onnx")
        and all(name in known for name in node.input if name)
    )


def _evaluate(
    nodes: List[onnx.NodeProto], constants: Dict[str, np.ndarray], model: onnx.ModelProto
) -> Dict[str, np.ndarray]:
    """Run constant ``nodes`` in ONNX Runtime and return each tensor they make."""
    outputs = [name for node in nodes for name in node.output if name]
    needed = sorted({name for node in nodes for name in node.input if name in constants})
    graph = helper.make_graph(
        nodes,
        "constants",
        inputs=[],
        outputs=[helper.ValueInfoProto(name=name) for name in outputs],
        initializer=[numpy_helper.from_array(constants[name], name) for name in needed],
    )
    program = helper.make_model(graph, opset_imports=model.opset_import)
    program.ir_version = model.ir_version
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(program.SerializeToString(), options)
    return dict(zip(outputs, (np.asarray(value) for value in session.run(outputs, {}))))
