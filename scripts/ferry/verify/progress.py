"""How far a verification has come: a bar a runtime on a terminal, a plain line now and then elsewhere."""

import time
from typing import Dict, List, Optional

from rich import progress
from rich.console import Console

# Elsewhere than on a terminal a line says how far it is after so many seconds, and again.
SECONDS_A_LINE = 20.0


class Rate(progress.ProgressColumn):
    """Inputs a second."""

    def render(self, task: progress.Task) -> str:
        """The rate in words, empty while there is none."""
        return f"{task.speed:.1f}/s" if task.speed else ""


class Progress:
    """A context in which ``begin`` says how many samples each of ``names`` will see, and ``advance`` how it goes."""

    def __init__(self, console: Console, names: List[str]):
        self._console, self._names = console, names
        self._bars: Optional[progress.Progress] = None
        if console.is_terminal:
            self._bars = progress.Progress(
                progress.TextColumn("verify {task.description:<10}"),
                progress.BarColumn(),
                progress.MofNCompleteColumn(),
                Rate(),
                progress.TimeRemainingColumn(),
                console=console,
                transient=True,
            )
        self._tasks: Dict[str, progress.TaskID] = {}
        self._done = dict.fromkeys(names, 0)
        self._total = 0
        self._started = self._said = time.monotonic()

    def __enter__(self) -> "Progress":
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(self, *_error: object) -> None:
        if self._bars is not None:
            self._bars.stop()

    def begin(self, samples: int) -> None:
        """The inputs are known, and the first is about to run."""
        self._total, self._started = samples, time.monotonic()
        if self._bars is not None:
            self._tasks = {name: self._bars.add_task(name, total=samples) for name in self._names}

    def advance(self, name: str, samples: int) -> None:
        """``name`` has done so many more."""
        self._done[name] += samples
        now = time.monotonic()
        if self._bars is not None:
            self._bars.advance(self._tasks[name], samples)
        elif now - self._said >= SECONDS_A_LINE:
            self._said = now
            self._console.print(f"verify: {self._line(now - self._started)}", markup=False)

    def _line(self, seconds: float) -> str:
        done, whole = sum(self._done.values()), self._total * len(self._names)
        left = seconds * (whole - done) / done
        shown = ", ".join(f"{name} {count}/{self._total}" for name, count in self._done.items())
        return f"{shown}; {done / seconds:.1f} inferences/s, about {left:.0f} s left"
