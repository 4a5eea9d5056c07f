"""Write a model of a newer opset in the terms of opset 12, node by node."""

import importlib
import pkgutil
from typing import Dict, Iterable, List, Optional

import numpy as np
import onnx
from onnx import helper
from onnx.mapping import TENSOR_TYPE_TO_NP_TYPE

from ferry.errors import InputFileError, UnsupportedModelError, first_line
from ferry.graph import external_data
from ferry.graph.newer_opsets import functions, narrow_floats, operators, registry, tensor_types, unchanged
from ferry.graph.newer_opsets.call import Call
from ferry.graph.newer_opsets.functions import Function, Key
from ferry.graph.newer_opsets.rewriter import GraphRewriter, Names
from ferry.graph.newer_opsets.tensor_types import TARGET_OPSET
from ferry.graph.onnx_file import opset_of

# The newest opset whose operators are all lowered or refused by name here.
NEWEST_OPSET = 28
# ONNX 1.7's own.
IR_VERSION = 7
for _module in pkgutil.iter_modules(operators.__path__):
    importlib.import_module(f"{operators.__name__}.{_module.name}")


def lower(model: onnx.ModelProto) -> List[str]:
    """Write ``model`` in the terms of opset 12, in place; return what the user should know of it, a sentence each.

    Its float16 and bfloat16 tensors become float32 ones, whatever its opset.

    Raises:
        InputFileError: a constant is not what its type and shape say.
        UnsupportedModelError: an operator, an attribute or a type has no form in opset 12 that Ferry knows.
    """
    opset = opset_of(model)
    bodies = functions.functions_of(model, opset)
    _check_constants(model.graph)
    remark = narrow_floats.raise_to_float32(model.graph, [each.nodes for each in bodies.values()])
    remarks = [remark] if remark else []
    if opset <= TARGET_OPSET and not bodies:
        model.ir_version = min(model.ir_version, IR_VERSION)
        return remarks
    lowering = ModelLowering(bodies, Names(_names(model.graph)))
    lowering.lower_graph(model.graph, opset)
    del model.opset_import[:]
    model.opset_import.extend([helper.make_opsetid("", TARGET_OPSET)])
    model.ir_version = IR_VERSION
    model.DiscardUnknownFields()
    return [f"opset {opset} is written in the terms of opset {TARGET_OPSET}", *remarks]


def _check_constants(graph: onnx.GraphProto) -> None:
    for tensor in external_data.tensors_of(graph):
        dtype = TENSOR_TYPE_TO_NP_TYPE.get(tensor.data_type)
        if tensor.data_type in (onnx.TensorProto.STRING, *narrow_floats.NARROW, *narrow_floats.TOO_NARROW):
            continue
        if dtype is None:
            raise InputFileError(
                f"the constant {tensor.name!r} is of type {tensor.data_type}, which ONNX does not have"
            )
        try:
            onnx.checker.check_tensor(tensor)
        except onnx.checker.ValidationError as error:
            raise InputFileError(f"the constant {tensor.name!r} is not valid: {first_line(error)}") from error
        wanted = int(np.prod(tensor.dims, dtype=np.int64)) * dtype.itemsize
        if tensor.HasField("raw_data") and len(tensor.raw_data) != wanted:
            raise InputFileError(
                f"the constant {tensor.name!r} is not valid: it holds {len(tensor.raw_data)} bytes, not {wanted}"
            )


class ModelLowering:
    """The functions and the used names of a model whose graphs are lowered."""

    def __init__(self, bodies: Dict[Key, Function], names: Names):
        self._functions = bodies
        self._names = names
        self._depth = 0

    def lower_graph(self, graph: onnx.GraphProto, opset: int, outer: Optional[GraphRewriter] = None) -> None:
        """Write the nodes and initializers of ``graph`` anew, in place."""
        rewriter = GraphRewriter(self._names, outer)
        for info in graph.input:
            rewriter.declare_input(info)
        if graph.sparse_initializer:
            raise UnsupportedModelError("its constants are sparse, and the later stages know dense ones only")
        for tensor in graph.initializer:
            rewriter.add_initializer(tensor)
        for info in (*graph.value_info, *graph.output):
            rewriter.declare(info)
        self._lower_nodes(graph.node, opset, rewriter)
        for info in graph.output:
            tensor_types.complete(info, rewriter.type_of(info.name))
        nodes, initializers = rewriter.nodes, list(rewriter.initializers.values())
        copies = [onnx.TensorProto.FromString(tensor.SerializeToString()) for tensor in initializers]
        del graph.node[:], graph.initializer[:], graph.value_info[:]
        graph.node.extend(nodes)
        graph.initializer.extend(copies)

    def _lower_nodes(self, nodes: Iterable[onnx.NodeProto], opset: int, graph: GraphRewriter) -> None:
        for node in nodes:
            function = self._functions.get(functions.key_of(node))
            call = Call(node, opset, graph)
            if function is not None:
                self._inline(function, node, graph)
            elif node.domain not in ("", "ai.onnx"):
                raise call.refuse("it is no operator of ONNX's own, and the model brings no function of this name")
            else:
                self._lower_node(call)

    def _inline(self, function: Function, node: onnx.NodeProto, graph: GraphRewriter) -> None:
        if self._depth >= functions.DEEPEST:
            raise UnsupportedModelError(f"the model's function {node.op_type!r} calls itself")
        self._depth += 1
        self._lower_nodes(functions.body(function, node, self._names.new), function.opset, graph)
        self._depth -= 1

    def _lower_node(self, call: Call) -> None:
        if call.node.op_type == "If" and call.has(0):
            condition = call.graph.value(call.input(0))
            chosen = None if condition is None else call.get("then_branch" if condition.all() else "else_branch")
            if chosen is not None:
                outside = onnx.NodeProto(op_type="If", output=call.outputs, name=call.node.name)
                self._inline(functions.branch(chosen, call.opset), outside, call.graph)
                return
        for entry in call.node.attribute:
            for inner in (*([entry.g] if entry.HasField("g") else []), *entry.graphs):
                self.lower_graph(inner, call.opset, call.graph)
        call.graph.write_for(call.node)
        function = registry.lowering_of(call.node.op_type, call.opset)
        (function or unchanged.write)(call)


def _names(graph: onnx.GraphProto) -> set:
    """Every name of a tensor or a node in ``graph`` and in its subgraphs."""
    names = {info.name for info in (*graph.input, *graph.output, *graph.initializer)}
    for node in graph.node:
        names.update((*node.input, *node.output, node.name))
        for entry in node.attribute:
            for inner in (*([entry.g] if entry.HasField("g") else []), *entry.graphs):
                names |= _names(inner)
    return names
