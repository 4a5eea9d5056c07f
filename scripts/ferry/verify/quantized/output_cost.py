"""Cost: how far the outputs are from the float model's, and what the scheme alone would cost."""

from typing import FrozenSet, List, Optional, Tuple

import numpy as np

from ferry.verify.quantized.findings import OperatorCost, OutputCost
from ferry.verify.quantized.simulation import NOTHING, Simulation

# The inputs of a network and the float network's outputs for them.
Pair = Tuple[List[np.ndarray], List[np.ndarray]]

# An output whose every bit is right has no error to take a logarithm of; decibels above this say no more.
MOST_DECIBELS = 300.0
# Leaving each operator in float in turn takes as many runs of the network as there are, an input.
MOST_RUNS, MOST_INPUTS = 400, 4


class OutputErrors:
    """The errors of one output, gathered over the inputs: against the float model, and what varies of that."""

    def __init__(self) -> None:
        self.count, self.samples = 0, 0
        self.absolute, self.largest, self.squares = 0.0, 0.0, 0.0
        self._power, self._cross, self._made = 0.0, 0.0, 0.0
        self._sum: Optional[np.ndarray] = None

    def add(self, wanted: np.ndarray, made: np.ndarray) -> None:
        """Take in one output of the float model and its like."""
        wanted, made = wanted.astype(np.float64), made.astype(np.float64)
        error = np.abs(made - wanted)
        self.count += error.size
        self.samples += 1
        self.absolute += float(error.sum())
        self.largest = max(self.largest, float(error.max(initial=0.0)))
        self.squares += float((error**2).sum())
        self._power += float((wanted**2).sum())
        self._cross += float((wanted * made).sum())
        self._made += float((made**2).sum())
        self._sum = wanted.copy() if self._sum is None else self._sum + wanted

    @property
    def mean_absolute(self) -> float:
        """The mean absolute error."""
        return self.absolute / self.count if self.count else 0.0

    @property
    def rms(self) -> float:
        """The root mean square error."""
        return float(np.sqrt(self.squares / self.count)) if self.count else 0.0

    @property
    def sqnr(self) -> Optional[float]:
        """The signal over the error, in decibels."""
        return decibels(self._power, self.squares)

    @property
    def centred_sqnr(self) -> Optional[float]:
        """The same of what varies from input to input; ``None`` for fewer than two inputs."""
        if self._sum is None or self.samples < 2:
            return None
        return decibels(self._power - float((self._sum**2).sum()) / self.samples, self.squares)

    @property
    def cosine(self) -> Optional[float]:
        """The cosine between the float model's output and this one, over all inputs."""
        norm = np.sqrt(self._power * self._made)
        return float(self._cross / norm) if norm else None


def decibels(signal: float, noise: float) -> Optional[float]:
    """Ten times the logarithm of the ratio; ``None`` where there is no signal."""
    if signal <= 0:
        return None
    return MOST_DECIBELS if noise == 0 else min(MOST_DECIBELS, float(10 * np.log10(signal / noise)))


def of_output(name: str, found: OutputErrors, simulated: Optional[OutputErrors]) -> OutputCost:
    """The figures of one output; ``simulated`` is what the scheme alone costs, over the same inputs."""
    ratio = None
    if simulated is not None and simulated.rms:
        ratio = found.rms / simulated.rms
    return OutputCost(
        name=name,
        mean_abs_error=found.mean_absolute,
        max_abs_error=found.largest,
        sqnr_db=found.sqnr,
        centred_sqnr_db=found.centred_sqnr,
        cosine=found.cosine,
        ratio=ratio,
        simulated_sqnr_db=None if simulated is None else simulated.sqnr,
        simulated_centred_sqnr_db=None if simulated is None else simulated.centred_sqnr,
    )


def of_operators(
    simulation: Simulation, samples: List[List[np.ndarray]], floating: List[List[np.ndarray]]
) -> List[OperatorCost]:
    """What each operator costs, the dearest first: the part of the outputs' squared error that goes with it alone.

    ``floating`` are the float model's outputs for the ``samples``. Each output counts by its own power.
    """
    operators = simulation.operators
    count = max(1, min(MOST_INPUTS, MOST_RUNS // max(len(operators), 1), len(samples)))
    pairs = list(zip(samples, floating))[:count]
    whole = _error(simulation, pairs)
    if not whole:
        return []
    found: List[Tuple[float, OperatorCost]] = []
    for operator in operators[:MOST_RUNS]:
        left = _error(simulation, pairs, frozenset([operator.position]))
        share = 1 - left / whole
        found.append((share, OperatorCost(simulation.name(operator), operator.kind, share)))
    return [cost for _, cost in sorted(found, key=lambda pair: -pair[0])]


def _error(simulation: Simulation, pairs: List[Pair], exact: FrozenSet[int] = NOTHING) -> float:
    total = 0.0
    for arrays, wanted in pairs:
        for one, other in zip(wanted, simulation.run(arrays, exact)):
            power = float((one.astype(np.float64) ** 2).mean()) or 1.0
            total += float(((other - one) ** 2).mean()) / power
    return total
