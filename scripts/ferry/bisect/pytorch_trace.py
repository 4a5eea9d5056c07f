"""The computation that PyTorch's exporter recorded, run in PyTorch, and which of its tensors became which of ONNX's.

The exporter traces the module into a graph of ATen operators, rewrites that, and turns it operator by operator into
ONNX. Names put on the traced tensors go with them to the ONNX model, and say there what each ONNX tensor should hold.
"""

import contextlib
import difflib
from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional

import onnx
import torch
from torch.onnx import utils

from ferry.bisect.side import Reference, Values
from ferry.export import pytorch_export
from ferry.export.patches import replaced
from ferry.model.model_file import PytorchModel

MARK = "ferry_"


class Recording(NamedTuple):
    """What one export went through.

    ``graph`` is the trace; ``outputs`` are the marks of its outputs, ``None`` where one
    is an input or a weight; ``scopes`` says, by mark, which module made a tensor; ``node_scopes``, by position, which
    module an ONNX node came from. ``model`` is the ONNX model, its tensors under their marks.
    """

    graph: torch._C.Graph
    outputs: List[Optional[str]]
    scopes: Dict[str, str]
    node_scopes: List[str]
    model: onnx.ModelProto


def record(model: PytorchModel) -> Recording:
    """Export ``model`` once more and keep what the exporter throws away.

    Raises:
        UnsupportedModelError: the model cannot be exported.
    """
    kept: Dict[str, object] = {"scopes": {}}
    with _exporter_patched(kept), _scopes_recorded(model.module):
        made = pytorch_export.to_onnx(model)
    return Recording(kept["graph"], kept["outputs"], kept["scopes"], kept["node_scopes"], made)  # type: ignore[arg-type]


class TracedPytorch(Reference):
    """The recorded trace of ``model``, run by PyTorch on the CPU in float32.

    Args:
        names: the traced tensor that each ONNX tensor stands for, by the ONNX tensor's name.
        inputs: the names of the model's inputs, in order.
    """

    def __init__(self, model: PytorchModel, recording: Recording, names: Dict[str, str], inputs: List[str]):
        self._graph = recording.graph
        self.names = names
        self._inputs = inputs
        self._weights = list(torch.jit._unique_state_dict(model.module).values())

    def values(self, names: Iterable[str], inputs: Values) -> Values:
        wanted = sorted(set(names))
        made = {name: inputs[name] for name in wanted if name in inputs}
        rest = [name for name in wanted if name not in made]
        if not rest:
            return made
        function = _returning(self._graph, [self.names[name] for name in rest])
        tensors = [torch.from_numpy(inputs[name].copy()) for name in self._inputs]
        with torch.no_grad():
            outputs = function(*tensors, *self._weights)
        made.update((name, tensor.detach().numpy()) for name, tensor in zip(rest, outputs))
        return made


def names_in(recording: Recording, model: onnx.ModelProto) -> Dict[str, str]:
    """The mark of the traced tensor for each tensor of ``model``; empty if the recording is of another graph."""
    again, there = recording.model.graph, model.graph
    if [node.op_type for node in again.node] != [node.op_type for node in there.node]:
        return {}
    names = {}
    for made, node in zip(again.node, there.node):
        for mark, name in zip(made.output, node.output):
            if mark.startswith(MARK):
                names[name] = mark
    for mark, info in zip(recording.outputs, there.output):
        if mark:
            names[info.name] = mark
    return names


def aligned_names(recording: Recording, model: onnx.ModelProto) -> Dict[str, str]:
    """The same of a ``model`` that was altered since: its nodes are matched by their types, as lines of text are."""
    again, there = list(recording.model.graph.node), list(model.graph.node)
    before, after = ([str(node.op_type) for node in nodes] for nodes in (again, there))
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    names: Dict[str, str] = {}
    for _, first, stop, other, end in matcher.get_opcodes():
        if stop - first == end - other:
            for made, node in zip(again[first:stop], there[other:end]):
                names.update((name, mark) for mark, name in zip(made.output, node.output) if mark.startswith(MARK))
    for mark, info in zip(recording.outputs, model.graph.output):
        if mark:
            names[info.name] = mark
    return names


def scope_names(recording: Recording, model: onnx.ModelProto) -> Dict[str, str]:
    """The PyTorch module that each node of ``model`` came from, by the node's name: ``features.3.conv.1``."""
    scopes = {}
    for made, node, scope in zip(recording.model.graph.node, model.graph.node, recording.node_scopes):
        scopes[node.name] = recording.scopes.get(made.output[0], scope)
    return scopes


def _returning(graph: torch._C.Graph, marks: List[str]):
    """A function of the graph's inputs that returns the tensors under ``marks``, each as it was when it was made."""
    copy = graph.copy()
    made_by = {value.debugName(): (node, value) for node in copy.nodes() for value in node.outputs()}
    nothing = copy.prependNode(copy.create("prim::Constant"))
    (none,) = nothing.outputs()
    none.setType(torch._C.NoneType.get())
    copies = []
    for mark in marks:
        node, value = made_by[mark]
        # Some in-place operators are left, and would overwrite it.
        clone = copy.create("aten::clone", [value, none], 1)
        clone.insertAfter(node)
        copies.extend(clone.outputs())
    copy.return_node().removeAllInputs()
    (output,) = copy.appendNode(copy.create("prim::TupleConstruct", copies, 1)).outputs()
    output.setType(torch._C.TupleType([torch._C.TensorType.get()] * len(marks)))
    copy.registerOutput(output)
    return torch._C._create_function_from_graph("traced", copy)


@contextlib.contextmanager
def _exporter_patched(kept: Dict) -> Iterator[None]:
    optimize, symbolic, to_graph = utils._optimize_graph, utils._run_symbolic_function, utils._model_to_graph

    def marking(graph, *arguments, **options):
        _rewrite_as_the_exporter_begins(graph)
        position = 0
        for node in graph.nodes():
            for value in node.outputs():
                if value.type().kind() == "TensorType":
                    value.setDebugName(f"{MARK}{position}")
                    kept["scopes"][value.debugName()] = _last(node.scopeName())
                    position += 1
        kept["graph"] = graph.copy()
        names = [value.debugName() for value in graph.outputs()]
        kept["outputs"] = [name if name.startswith(MARK) else None for name in names]
        return optimize(graph, *arguments, **options)

    def keeping_marks(graph, node, *arguments, **options):
        made = symbolic(graph, node, *arguments, **options)
        for before, after in zip(node.outputs(), made if isinstance(made, (tuple, list)) else [made]):
            if not isinstance(after, torch._C.Value) or not before.debugName().startswith(MARK):
                continue
            # An operator that is nothing in ONNX returns its operand, which has its own mark or is a weight.
            if after.node().kind() != "prim::Param" and not after.debugName().startswith(MARK):
                after.setDebugName(before.debugName())
        return made

    def finishing(*arguments, **options):
        result = to_graph(*arguments, **options)
        nodes = [node for node in result[0].nodes() if node.kind().startswith("onnx::")]
        kept["node_scopes"] = [_last(node.scopeName()) for node in nodes]
        return result

    with replaced(utils, _optimize_graph=marking, _run_symbolic_function=keeping_marks, _model_to_graph=finishing):
        yield


@contextlib.contextmanager
def _scopes_recorded(module: torch.nn.Module) -> Iterator[None]:
    # Without this map, which the exporter leaves empty, a module's call leaves no mark on the trace.
    with replaced(torch.jit, _trace_module_map={part: name for name, part in module.named_modules()}):
        yield


def _rewrite_as_the_exporter_begins(graph: torch._C.Graph) -> None:
    """The exporter's own first steps, whose result PyTorch can still run; done twice they change nothing more."""
    passes = torch._C
    passes._jit_pass_inline(graph)
    passes._jit_pass_inline_fork_wait(graph)
    passes._jit_pass_dce(graph)
    passes._jit_pass_remove_inplace_ops(graph)
    passes._jit_pass_constant_propagation(graph)
    passes._jit_pass_dce(graph)
    passes._jit_pass_canonicalize_ops(graph)
    passes._jit_pass_peephole(graph, True)
    passes._jit_pass_lower_all_tuples(graph)
    passes._jit_pass_peephole(graph, True)


def _last(scope: str) -> str:
    return scope.split("/")[-1]
