"""Plant each fault in each artifact of a network, and see what verification's pieces make of it."""

import os
import shutil
import tempfile
from typing import Dict, Iterator, List, NamedTuple, Optional

from develop.detection import faults
from ferry.model.model_source import ModelSource
from ferry.verify import random_inputs
from ferry.verify.pieces.piece_worker import PieceWorker
from ferry.verify.pieces.stage_pieces import StagePieces

STAGES = {
    "onnx": ("model.onnx", faults.in_onnx),
    "tensorflow": ("model.pb", faults.in_graph),
    "tflite": ("model.tflite", faults.in_tflite),
}


class Trial(NamedTuple):
    """One fault of one network's stage.

    ``share`` is by how much of its scale the worst piece is off, ``None`` where that is without limit. ``reached`` says
    whether it shows on the input too. ``why`` is the reason where no piece could be judged.
    """

    network: str
    stage: str
    kind: str
    caught: bool
    reached: bool
    share: Optional[float]
    why: Optional[str]


class Planted:
    """A worker for the network of the model file ``path``, whose artifacts are in ``build``."""

    def __init__(self, name: str, path: str, build: str):
        self._name, self._source, self._build = name, ModelSource(path, "", ""), build

    def hello(self) -> List[str]:
        """The stages that faults can be planted in."""
        return list(STAGES)

    def example(self, seed: int, count: int, path: str) -> None:
        """Write ``count`` inputs, drawn with ``seed``, to the .npz ``path``."""
        import numpy as np

        examples = PieceWorker(self._source, self._build, "nchw").examples
        drawn = [random_inputs.draw(place, examples, random_inputs.STANDARD_NORMAL, seed + 1) for place in range(count)]
        np.savez(path, **{str(place): np.stack(arrays) for place, arrays in enumerate(zip(*drawn))})

    def trials(self, stage: str, seed: int) -> List[Trial]:
        """What comes of each fault planted in ``stage``'s artifact."""
        file, planted = STAGES[stage]
        with open(os.path.join(self._build, file), "rb") as opened:
            data = opened.read()
        return [self._tried(stage, file, fault) for fault in planted(data, seed)]

    def _tried(self, stage: str, file: str, fault: faults.Fault) -> Trial:
        with tempfile.TemporaryDirectory() as folder:
            for name, _ in STAGES.values():
                shutil.copyfile(os.path.join(self._build, name), os.path.join(folder, name))
            with open(os.path.join(folder, file), "wb") as opened:
                opened.write(fault.data)
            worker = PieceWorker(self._source, folder, "nchw")
            arrays = random_inputs.draw(0, worker.examples, random_inputs.STANDARD_NORMAL)
            return judged(self._name, stage, fault.kind, worker.prove([stage], arrays)[stage])


def judged(network: str, stage: str, kind: str, pieces: StagePieces) -> Trial:
    """The trial whose fault left the stage with ``pieces``."""
    if pieces.wrong:
        shares = [piece.share for piece in pieces.wrong]
        worst = None if None in shares else max(share for share in shares if share is not None)
        return Trial(network, stage, kind, True, any(piece.reached for piece in pieces.wrong), worst, None)
    # One that is not caught is off by no more than what a piece may be off by unseen.
    return Trial(network, stage, kind, False, False, pieces.resolution, pieces.reason)


def by_kind(trials: List[Trial]) -> Iterator[List[Trial]]:
    """The trials of each kind, in the order of the kinds' names."""
    kinds: Dict[str, List[Trial]] = {}
    for trial in trials:
        kinds.setdefault(trial.kind, []).append(trial)
    for kind in sorted(kinds):
        yield kinds[kind]
