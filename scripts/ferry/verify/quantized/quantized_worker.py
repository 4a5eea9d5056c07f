"""The worker that runs a quantized file and its float file in TFLite: ranges, fidelity, cost and outputs."""

import hashlib
from typing import Any, Dict, List, NamedTuple, Optional, Set, Tuple

import numpy as np

from ferry.errors import UnsupportedModelError
from ferry.runtimes import TensorSpec
from ferry.runtimes.channels_last import TO_LAST, TO_SECOND
from ferry.tflite import flatbuffer
from ferry.verify.input_source import InputSource
from ferry.verify.quantized import counterparts, output_cost, ranges
from ferry.verify.quantized.every_tensor import EveryTensor
from ferry.verify.quantized.fidelity import Fidelity
from ferry.verify.quantized.findings import OperatorCost, OperatorFidelity, OutputCost
from ferry.verify.quantized.network import Network
from ferry.verify.quantized.output_cost import OutputErrors
from ferry.verify.quantized.ranges import Range
from ferry.verify.quantized.simulation import Simulation

# All tensors of so many inputs are looked at, and so many are run through the simulated scheme.
FIDELITY_INPUTS, COST_INPUTS = 4, 16
# The dtypes of quantized constants.
SMALL = (np.dtype(np.int8), np.dtype(np.uint8), np.dtype(np.int16), np.dtype(np.float16))


class Proof(NamedTuple):
    """What came of the operators. ``unsimulated`` says why the scheme could not be simulated, where that is so.

    ``small`` says whether anything in the file is quantized at all.
    """

    fidelity: List[OperatorFidelity]
    outputs: List[OutputCost]
    operators: List[OperatorCost]
    noise: List[Optional[float]]
    cost_inputs: int
    unsimulated: Optional[str]
    small: bool


# The float file's outputs for each input, the outputs' figures, and the scheme's error of each output.
Costs = Tuple[List[List[np.ndarray]], List[OutputCost], List[Optional[float]]]


class QuantizedWorker:
    """The files at ``quantized`` and ``floating``, both built with ``layout``."""

    def __init__(self, quantized: str, floating: str, layout: str):
        self._layout = layout
        data = {name: flatbuffer.load(path) for name, path in (("quantized", quantized), ("float", floating))}
        self._operators = {name: dict(sorted(flatbuffer.operators(each).items())) for name, each in data.items()}
        self._quantized, self._float = Network(data["quantized"]), Network(data["float"])
        self._run_quantized, self._run_float = EveryTensor(self._quantized), EveryTensor(self._float)
        self._counterparts = counterparts.find(self._quantized, self._float)
        self._known: Dict[int, Range] = {}
        self._seen: Set[str] = set()

    def hello(self) -> Dict[str, Any]:
        """What the two files take and give, in PyTorch's layout, and their operators."""
        return {
            "inputs": {"quantized": self._specs(self._quantized, True), "float": self._specs(self._float, True)},
            "outputs": {"quantized": self._specs(self._quantized, False), "float": self._specs(self._float, False)},
            "operators": self._operators,
        }

    def measure(self, source: InputSource, count: int) -> Optional[float]:
        """Measure the ranges on the first ``count`` inputs; the median difference between those of two halves."""
        halves: List[Dict[int, Range]] = []
        for start in (0, 1):
            samples = [self._arrays(source, place) for place in range(start, count, 2)]
            halves.append(ranges.measured(self._float, samples) if samples else {})
        self._known = _joined(halves)
        self._seen = {_digest(source.sample(place)) for place in range(count)}
        return _difference(halves, self._known)

    def use(self, recorded: Dict[str, Range]) -> int:
        """Take the ranges of a record, by the float file's names, for what was measured; how many tensors fit."""
        names = {held.name: tensor for tensor, held in enumerate(self._float.tensors)}
        self._known = {names[name]: tuple(each) for name, each in recorded.items() if name in names}  # type: ignore[misc]
        return len(self._known)

    def prove(self, source: InputSource, chosen: Dict[str, Range], calibrated: bool) -> Proof:
        """Fidelity of each operator, and the cost of the scheme, on the first inputs of ``source``."""
        known = ranges.TensorRanges(self._quantized, self._float, self._counterparts, self._known, chosen)
        fidelity = Fidelity(self._quantized, self._float, self._counterparts, known, calibrated)
        samples = [self._arrays(source, place) for place in range(min(COST_INPUTS, source.count))]
        found = fidelity.run(samples[:FIDELITY_INPUTS])
        simulation, reason = None, None
        try:
            simulation = Simulation(self._quantized, self._float, self._counterparts, known, fidelity.checks)
        except UnsupportedModelError as error:
            reason = str(error)
        wanted, outputs, noise = self._costs(samples, simulation)
        operators = output_cost.of_operators(simulation, samples, wanted) if simulation is not None else []
        small = any(each.dtype in SMALL and each.constant is not None for each in self._quantized.tensors)
        return Proof(found, outputs, operators, noise, len(samples), reason, small)

    def outputs(self, source: InputSource, start: int, stop: int) -> List[Tuple[bool, List[Any], List[Any]]]:
        """For each input, whether the calibration has it too, and the outputs of the float and the quantized file."""
        made = []
        for place in range(start, stop):
            arrays = self._arrays(source, place)
            both = [
                [self._to_pytorch(each, network) for each in _outputs(network, opened.run(arrays))]
                for network, opened in ((self._float, self._run_float), (self._quantized, self._run_quantized))
            ]
            made.append((_digest(source.sample(place)) in self._seen, both[0], both[1]))
        return made

    def _costs(self, samples: List[List[np.ndarray]], simulation: Optional[Simulation]) -> Costs:
        found = [OutputErrors() for _ in self._float.outputs]
        simulated = [OutputErrors() for _ in self._float.outputs]
        wanted: List[List[np.ndarray]] = []
        for arrays in samples:
            floating = _outputs(self._float, self._run_float.run(arrays))
            wanted.append(floating)
            for errors, one, other in zip(found, floating, _outputs(self._quantized, self._run_quantized.run(arrays))):
                errors.add(one, other)
            for errors, one, other in zip(simulated, floating, simulation.run(arrays) if simulation else []):
                errors.add(one, other)
        names = [self._float.tensors[tensor].name for tensor in self._float.outputs]
        costs = [
            output_cost.of_output(name, ours, theirs if simulation is not None else None)
            for name, ours, theirs in zip(names, found, simulated)
        ]
        return wanted, costs, [each.rms if simulation is not None else None for each in simulated]

    def _arrays(self, source: InputSource, place: int) -> List[np.ndarray]:
        arrays = source.sample(place)
        if self._layout != "nhwc":
            return arrays
        return [
            np.ascontiguousarray(array.transpose(TO_LAST)) if array.ndim == 4 and array.dtype.kind == "f" else array
            for array in arrays
        ]

    def _to_pytorch(self, array: np.ndarray, network: Network) -> np.ndarray:
        return array.transpose(TO_SECOND) if self._layout == "nhwc" and array.ndim == 4 else array

    def _specs(self, network: Network, inputs: bool) -> List[TensorSpec]:
        specs = []
        for tensor in network.inputs if inputs else network.outputs:
            held = network.tensors[tensor]
            shape = held.shape
            if self._layout == "nhwc" and len(shape) == 4 and held.real:
                shape = tuple(shape[axis] for axis in TO_SECOND)
            specs.append(TensorSpec(held.name, shape, np.dtype(np.float32) if held.real else held.dtype))
        return specs


def open_quantized(quantized: str, floating: str, layout: str) -> QuantizedWorker:
    """What a worker calls to open the two files."""
    return QuantizedWorker(quantized, floating, layout)


def _outputs(network: Network, raw: Dict[int, np.ndarray]) -> List[np.ndarray]:
    return [network.tensors[tensor].numbers(raw[tensor]) for tensor in network.outputs]


def _digest(arrays: List[np.ndarray]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _joined(halves: List[Dict[int, Range]]) -> Dict[int, Range]:
    made: Dict[int, Range] = {}
    for half in halves:
        for tensor, (low, high) in half.items():
            known = made.get(tensor, (low, high))
            made[tensor] = (min(low, known[0]), max(high, known[1]))
    return made


def _difference(halves: List[Dict[int, Range]], known: Dict[int, Range]) -> Optional[float]:
    """The median over the tensors of how much the ranges of the halves differ, over the range of both."""
    shares = []
    for tensor in halves[0].keys() & halves[1].keys():
        width = max(known[tensor][1], 0.0) - min(known[tensor][0], 0.0)
        if width > 0:
            ours, theirs = halves[0][tensor], halves[1][tensor]
            shares.append(max(abs(ours[0] - theirs[0]), abs(ours[1] - theirs[1])) / width)
    return float(np.median(shares)) if shares else None
