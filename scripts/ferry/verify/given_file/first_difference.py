"""Name the first tensor of a foreign file from which on nothing agrees with the model, by values.

Another converter keeps no names and orders axes as it likes, so a tensor of the file is held to be one of the model's
where the two have the same values in some order. What converters compute on the way has no counterpart and need not
have one: a tensor that agrees with nothing is at fault only if nothing that follows from it agrees either.
"""

import os
import tempfile
from typing import Dict, List, NamedTuple, Optional, Sequence, Set

import numpy as np
import tflite as schema

from ferry.model.model_source import ModelSource
from ferry.runtimes.arrangement import to_theirs
from ferry.tflite import flatbuffer
from ferry.tflite.cut import cut
from ferry.verify.given_file.given_file import Opening, open_runtime
from ferry.verify.verdict import Cause

# Sums in another order differ by less, of the largest value; a wrong weight, by more.
AGREES = 1e-4
# With fewer values than these, two tensors agree by chance.
FEWEST_VALUES = 3


class Step(NamedTuple):
    """An operator of the file: its position, name, the tensors that it reads and those that it makes."""

    position: int
    operator: str
    reads: Sequence[int]
    makes: Sequence[int]


class Locator:
    """A worker that knows ``source`` and the file at ``path``, which is opened as ``opening`` says."""

    def __init__(self, source: ModelSource, path: str, opening: Opening):
        self._source, self._path, self._opening = source, path, opening

    def hello(self) -> None:
        """There is nothing to tell."""

    def find(self, arrays: List[np.ndarray]) -> Cause:
        """Where the file first differs on the inputs ``arrays``.

        Raises:
            FerryError: the model cannot be exported, or the file cannot be run.
        """
        ours = _model_values(self._source, arrays)
        with open(self._path, "rb") as file:
            data = file.read()
        steps = steps_of(data)
        made = [tensor for step in steps for tensor in step.makes]
        theirs = self._their_values(data, made, arrays)
        known = Known(ours)
        agree = {
            tensor: name for tensor, array in theirs.items() for name in [known.name_of(array)] if name is not None
        }
        judged = {tensor for tensor, array in theirs.items() if known.can_judge(array)}
        fault = first_fault(steps, set(agree), judged)
        if fault is None:
            return _cause(None, "", "no tensor of the file differs from the model's on the worst input")
        before = sorted({agree[tensor] for tensor in nearest(steps, fault, set(agree))})
        name = schema.Model.GetRootAsModel(data, 0).Subgraphs(0).Tensors(fault.makes[0]).Name().decode()
        after = f"; before it agrees {', '.join(before)}" if before else ""
        line = f"it differs from {fault.operator} on, operator {fault.position}, tensor {name}{after}"
        return _cause(fault.operator, name, line)

    def _their_values(self, data: bytes, made: List[int], arrays: List[np.ndarray]) -> Dict[int, np.ndarray]:
        opening = self._opening
        with tempfile.TemporaryDirectory() as folder:
            whole = os.path.join(folder, "all.tflite")
            with open(whole, "wb") as file:
                file.write(cut(data, outputs=made))
            runtime = open_runtime(whole, opening.python)
            given: Dict[int, np.ndarray] = {}
            for array, place in zip(arrays, opening.arrangement.inputs):
                given[place.position] = to_theirs(array, place.layout, runtime.inputs[place.position].dtype)
            return dict(zip(made, runtime.run([given[position] for position in range(len(given))])))


class Known:
    """The model's own tensors, by their values in ascending order."""

    def __init__(self, values: Dict[str, np.ndarray]):
        self._by_size: Dict[int, List[str]] = {}
        self._sorted: Dict[str, np.ndarray] = {}
        for name, array in values.items():
            if self.can_judge(array):
                self._by_size.setdefault(array.size, []).append(name)
                self._sorted[name] = np.sort(array, axis=None).astype(np.float64)

    @staticmethod
    def can_judge(array: np.ndarray) -> bool:
        """Whether its values tell it from others: floats, and not all but one of them the same."""
        return array.dtype.kind == "f" and array.size >= FEWEST_VALUES and float(np.ptp(array)) > 0

    def name_of(self, array: np.ndarray) -> Optional[str]:
        """The model's tensor that ``array`` is, in whatever order; ``None`` where it is none."""
        if not self.can_judge(array):
            return None
        values = np.sort(array, axis=None).astype(np.float64)
        allowed = AGREES * float(np.abs(values).max())
        for name in self._by_size.get(array.size, []):
            if float(np.abs(values - self._sorted[name]).max()) <= allowed:
                return name
        return None


def steps_of(data: bytes) -> List[Step]:
    """The operators of the file's main subgraph, in order."""
    model = schema.Model.GetRootAsModel(data, 0)
    graph = model.Subgraphs(0)
    steps = []
    for position in range(graph.OperatorsLength()):
        operator = graph.Operators(position)
        steps.append(
            Step(
                position,
                flatbuffer.operator_name(model, operator),
                [operator.Inputs(each) for each in range(operator.InputsLength())],
                [operator.Outputs(each) for each in range(operator.OutputsLength())],
            )
        )
    return steps


def first_fault(steps: Sequence[Step], agree: Set[int], judged: Set[int]) -> Optional[Step]:
    """The first step whose tensors can be judged, agree with nothing, and are followed by nothing that agrees."""
    vindicated: Set[int] = set()
    faults = []
    for step in reversed(steps):
        right = any(tensor in agree or tensor in vindicated for tensor in step.makes)
        if right:
            vindicated.update(step.reads)
        elif any(tensor in judged for tensor in step.makes):
            faults.append(step)
    return faults[-1] if faults else None


def nearest(steps: Sequence[Step], fault: Step, agree: Set[int]) -> Set[int]:
    """The tensors that agree and that ``fault`` follows from, with nothing between that does."""
    makers = {tensor: step for step in steps for tensor in step.makes}
    found: Set[int] = set()
    left, seen = list(fault.reads), set(fault.reads)
    while left:
        tensor = left.pop()
        if tensor in agree:
            found.add(tensor)
        elif tensor in makers:
            new = [each for each in makers[tensor].reads if each not in seen]
            seen.update(new)
            left += new
    return found


def _model_values(source: ModelSource, arrays: List[np.ndarray]) -> Dict[str, np.ndarray]:
    from ferry.bisect.onnx_side import OnnxSide
    from ferry.export import other_torch, pytorch_export
    from ferry.graph import onnx_file
    from ferry.model import model_file

    if source.path.endswith(".onnx"):
        model = onnx_file.load(source.path)
    elif source.needs_other_torch:
        model = other_torch.export(source).model
    else:
        pytorch_export.install()
        model = pytorch_export.to_onnx(model_file.load(source.path, source.weights, source.input_shape))
    side = OnnxSide(model)
    inputs = {point.name: array for point, array in zip(side.inputs, arrays)}
    return {**inputs, **side.values([point.name for point in side.points], inputs)}


def _cause(operator: Optional[str], tensor: str, line: str) -> Cause:
    return Cause("conversion" if operator else None, tensor, None, operator, None, None, None, [f"tflite: {line}"])
