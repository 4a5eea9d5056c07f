"""The float and the quantized file against PyTorch, gathered over all inputs."""

from typing import Dict, List, Optional

import numpy as np

from ferry.runtimes import TensorSpec
from ferry.verify.output_summary import looks_like_scores
from ferry.verify.quantized.decisions import DecisionCounter
from ferry.verify.quantized.findings import Decisions, FileFigures
from ferry.verify.quantized.output_cost import OutputErrors
from ferry.verify.verdict import Artifact


class FileErrors:
    """The errors and decisions of one file, an entry an output; the worst output stands for the file."""

    def __init__(self, outputs: List[TensorSpec]):
        self._errors = [OutputErrors() for _ in outputs]
        self._decisions: Dict[int, DecisionCounter] = {
            place: DecisionCounter(spec.name) for place, spec in enumerate(outputs) if looks_like_scores(spec)
        }

    def add(self, sample: int, wanted: List[np.ndarray], made: List[np.ndarray], decides: bool = True) -> None:
        """Take in the outputs for the input ``sample``; ``decides`` says that its decisions count."""
        for place, (errors, one, other) in enumerate(zip(self._errors, wanted, made)):
            errors.add(one, other)
            if decides and place in self._decisions:
                self._decisions[place].add(sample, one, other)

    def decisions(self, noise: List[Optional[float]]) -> List[Decisions]:
        """The decisions on each output of class scores; ``noise`` is the predicted error of each output."""
        return [counter.findings(noise[place]) for place, counter in self._decisions.items() if counter.count]

    def figures(self, file: Artifact, operators: Dict[str, int]) -> FileFigures:
        """The file's figures."""
        agreements = [each.agreement for each in self.decisions([None] * len(self._errors))]
        return FileFigures(
            path=file.path,
            bytes=file.bytes or 0,
            sha256=file.sha256 or "",
            operators=operators,
            mean_abs_error=max((each.mean_absolute for each in self._errors if each.count), default=None),
            sqnr_db=_least([each.sqnr for each in self._errors]),
            centred_sqnr_db=_least([each.centred_sqnr for each in self._errors]),
            top1_agreement=min(agreements, default=None),
        )


def _least(values: List[Optional[float]]) -> Optional[float]:
    return min((value for value in values if value is not None), default=None)
