"""Evaluate an ONNX graph, or some nodes of one, in float64."""

from typing import Dict, Iterable, List, Optional, Sequence, Set, Union

import numpy as np
import onnx
from onnx import numpy_helper

from ferry.evaluate.bounded import LARGEST, Bounded
from ferry.evaluate.operators import OPERATORS
from ferry.evaluate.registry import Node, NotEvaluatedError
from ferry.graph import onnx_file

Arrays = Dict[str, np.ndarray]


def lacking(model: onnx.ModelProto) -> List[str]:
    """The operators of ``model`` that the evaluator does not know, sorted; operators of other domains among them."""
    return sorted({_named(node) for node in model.graph.node if not _known(node)})


class Evaluator:
    """The nodes of ``model``. A weight is copied and widened where it is read: no other copy of all of them is held."""

    def __init__(self, model: onnx.ModelProto):
        self.model = model
        self._opset = onnx_file.opset_of(model)
        self._weights = {entry.name: entry for entry in model.graph.initializer}

    def run(self, arrays: Arrays, wanted: Sequence[str]) -> Dict[str, np.ndarray]:
        """The tensors ``wanted``, floats in float64, when the graph is given ``arrays`` by name.

        Raises:
            NotEvaluatedError: an operator, or a form of one, is not known.
        """
        made = self.evaluate(self.model.graph.node, arrays, wanted, bounds=False)
        return {name: made[name].value for name in wanted}

    def evaluate(
        self, nodes: Iterable[onnx.NodeProto], arrays: Arrays, wanted: Sequence[str], bounds: bool = True
    ) -> Dict[str, Bounded]:
        """The same of some ``nodes``, in topological order, with bounds. What they are given counts as exact.

        Raises:
            NotEvaluatedError: an operator, or a form of one, is not known.
        """
        nodes = list(nodes)
        last = {name: position for position, node in enumerate(nodes) for name in node.input}
        kept: Set[str] = set(wanted)
        held = {name: _wide(array) for name, array in arrays.items()}
        for position, node in enumerate(nodes):
            inputs = [self._input(name, held) for name in node.input]
            for name, made in zip(node.output, evaluate_node(node, inputs, self._opset, bounds)):
                if name and (name in kept or name in last):
                    held[name] = made
            for name in node.input:
                if last[name] == position and name not in kept:
                    held.pop(name, None)
        return {name: value for name in wanted for value in [self._input(name, held)] if value is not None}

    def _input(self, name: str, held: Dict[str, Bounded]) -> Optional[Bounded]:
        if not name:
            return None
        if name in held:
            return held[name]
        if name not in self._weights:
            raise NotEvaluatedError(f"nothing makes the tensor {name}")
        return _wide(numpy_helper.to_array(self._weights[name]))


def evaluate_node(
    node: onnx.NodeProto, inputs: List[Optional[Bounded]], opset: int, bounds: bool = False
) -> List[Bounded]:
    """The outputs of one ``node``.

    Raises:
        NotEvaluatedError: the operator, or this form of it, is not known.
    """
    if not _known(node):
        raise NotEvaluatedError(f"the operator {_named(node)}")
    # Overflow and NaN are values here: what is not finite is not judged.
    with np.errstate(all="ignore"):
        made = OPERATORS[node.op_type](Node(node, opset, bounds, len(node.output)), inputs)
    return [_checked(each) for each in made] if bounds else made


def _checked(tensor: Bounded) -> Bounded:
    """``tensor`` with no bound where float32 has no number for it."""
    if not tensor.is_float or not tensor.value.size:
        return tensor
    beyond = np.isfinite(tensor.value) & (np.abs(tensor.value) >= LARGEST)
    if not beyond.any():
        return tensor
    error = np.zeros(tensor.value.shape) if tensor.error is None else np.array(tensor.error)
    error[beyond] = np.inf
    return Bounded(tensor.value, error)


def _wide(array: Union[np.ndarray, np.generic]) -> Bounded:
    array = np.asarray(array)
    return Bounded(array.astype(np.float64) if array.dtype.kind == "f" else array)


def _known(node: onnx.NodeProto) -> bool:
    return node.domain in ("", "ai.onnx") and node.op_type in OPERATORS


def _named(node: onnx.NodeProto) -> str:
    return node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}"
