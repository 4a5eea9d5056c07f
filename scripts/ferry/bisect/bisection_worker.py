"""A bisection in a process of its own: a damaged file may end the process that walks it, and no other."""

from typing import Any, List, NamedTuple, Optional, Tuple

import numpy as np

from ferry.bisect.finding import Finding
from ferry.errors import VerificationError
from ferry.model.model_source import ModelSource
from ferry.worker import Worker, WorkerEnded


class Hello(NamedTuple):
    """The stages that can be walked, and an example of the model's inputs."""

    stages: Tuple[str, ...]
    examples: List[np.ndarray]


class BisectionProcess:
    """A context in which the stages of one model can be walked; the arguments are those of ``Bisection``.

    Raises:
        FerryError: the model file cannot be loaded, or the process has ended.
    """

    def __init__(self, model: ModelSource, build: str, layout: str):
        self._worker = Worker("bisect", _Opened, model, build, layout)

    def __enter__(self) -> "BisectionProcess":
        return self

    def __exit__(self, *_error: object) -> None:
        self._worker.close()

    def hello(self) -> Hello:
        """What there is to walk, which is to be asked first."""
        return self._answered("opened the model")

    def find(self, stage: str, arrays: List[np.ndarray]) -> Optional[Finding]:
        """Where ``stage`` breaks on the inputs ``arrays``; ``None`` where no piece of it does."""
        self._worker.ask("find", stage, arrays)
        return self._answered(f"opened {stage}")

    def _answered(self, doing: str) -> Any:
        try:
            return self._worker.answer()
        except WorkerEnded as ended:
            step = f"ran {ended.step}" if ended.step else doing
            raise VerificationError(f"the bisection {ended.how} while it {step}") from ended


class _Opened:
    """What the process opens."""

    def __init__(self, model: ModelSource, build: str, layout: str):
        # PyTorch and TensorFlow are this process's alone.
        from ferry.bisect.find import Bisection

        self._bisection = Bisection(model, build, layout)

    def hello(self) -> Hello:
        return Hello(self._bisection.stages, self._bisection.examples)

    def find(self, stage: str, arrays: List[np.ndarray]) -> Optional[Finding]:
        return self._bisection.find(stage, arrays)
