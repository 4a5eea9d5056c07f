"""Pieces of PyTorch's own trace, in float64: what an exported ONNX tensor should be, given the tensors before it."""

from typing import Any, Dict, NamedTuple, Sequence, Tuple

import numpy as np
import torch

from ferry.bisect import pytorch_trace
from ferry.bisect.side import Values
from ferry.evaluate.bounded import Bounded
from ferry.evaluate.registry import NotEvaluatedError
from ferry.graph.attributes import attribute
from ferry.model.model_file import PytorchModel
from ferry.runtimes.raised_trace import raised, wide
from ferry.verify.pieces.region import Regions


class _Function(NamedTuple):
    """A part of the trace as a function of the network's inputs, the weights and ``fed``, in this order."""

    run: Any
    fed: Tuple[str, ...]


class TracedPieces:
    """The recorded trace of ``model``, piece by piece, with the bounds of the ONNX ``regions`` that it became.

    Args:
        names: the traced tensor that each ONNX tensor stands for, by the ONNX tensor's name.
        inputs: the network's inputs, by name, in order.
    """

    def __init__(
        self,
        model: PytorchModel,
        recording: pytorch_trace.Recording,
        names: Dict[str, str],
        inputs: Values,
        regions: Regions,
    ):
        self._graph = raised(recording.graph)
        self._names, self._inputs, self._regions = names, inputs, regions
        self._weights = [wide(tensor) for tensor in torch.jit._unique_state_dict(model.module).values()]
        self._functions: Dict[Tuple[str, Tuple[str, ...]], _Function] = {}

    def expected(self, name: str, values: Values) -> Bounded:
        """The ONNX tensor ``name`` as PyTorch computes it from ``values``, with the bound of its ONNX nodes.

        Raises:
            NotEvaluatedError: the bound is not known, or PyTorch cannot run this part of the trace alone.
        """
        bounded = self._regions.expected(name, values)
        key = (name, tuple(sorted(values)))
        if key not in self._functions:
            self._functions[key] = self._cut(name, key[1])
        function = self._functions[key]
        given = {**self._inputs, **values}
        arrays = [*(given[entry] for entry in self._inputs), *(values[entry] for entry in function.fed)]
        tensors = [wide(torch.from_numpy(np.array(array))) for array in arrays]
        inputs, fed = tensors[: len(self._inputs)], tensors[len(self._inputs) :]
        try:
            with torch.no_grad():
                made = function.run(*inputs, *self._weights, *fed)
        except RuntimeError as error:
            reason = (str(error).strip().splitlines() or ["no reason given"])[-1]
            raise NotEvaluatedError(f"PyTorch cannot run this part of its trace alone: {reason}") from error
        value = made.detach().numpy()
        if value.dtype.kind in "iu" and value.shape == bounded.value.shape and (value != bounded.value).any():
            bounded = bounded._replace(error=self._ties(name, values, value, bounded.value))
        return Bounded(value, bounded.error)

    def _ties(self, name: str, values: Values, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        """No bound where PyTorch 1.5.1 names another place of one value: of equal ones it does not say which."""
        unknown = np.zeros(one.shape)
        node = self._regions.side.producer[name]
        if node.op_type in ("ArgMax", "ArgMin", "TopK") and node.input[0] in values:
            array, axis = values[node.input[0]], attribute(node, "axis", -1 if node.op_type == "TopK" else 0)
            places = [each if attribute(node, "keepdims", 1) else np.expand_dims(each, axis) for each in (one, other)]
            same = np.equal(*(np.take_along_axis(array, each, axis) for each in places)).reshape(one.shape)
            unknown[same & (one != other)] = np.inf
        return unknown

    def _cut(self, name: str, sources: Sequence[str]) -> _Function:
        graph = self._graph.copy()
        values = {value.debugName(): value for node in graph.nodes() for value in node.outputs()}
        fed = [source for source in sources if self._names.get(source) in values]
        unknown = [source for source in sources if source not in fed and source not in self._inputs]
        target = self._names.get(name)
        if unknown or target not in values:
            raise NotEvaluatedError(f"the trace has no {unknown[0] if unknown else name}")
        nothing = graph.prependNode(graph.create("prim::Constant"))
        (none,) = nothing.outputs()
        none.setType(torch._C.NoneType.get())
        # What writes into a tensor later must not change what is returned.
        node = values[target].node()
        clone = graph.create("aten::clone", [values[target], none], 1)
        clone.insertAfter(node)
        for source in fed:
            entry = graph.addInput()
            entry.setType(torch._C.TensorType.get())
            if source != name:
                values[self._names[source]].replaceAllUsesWith(entry)
        graph.return_node().removeAllInputs()
        (output,) = clone.outputs()
        graph.registerOutput(output)
        torch._C._jit_pass_dce(graph)
        return _Function(torch._C._create_function_from_graph("piece", graph), tuple(fed))
