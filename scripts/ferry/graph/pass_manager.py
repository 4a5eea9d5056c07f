"""Run passes over a graph: drop what they leave dead, and say which one is at fault when one fails.

A manager that knows from each pass whether it changed the graph is onnx-ir's idea; an error that names the pass,
coremltools'.
"""

import os
from typing import Callable, List, NamedTuple, Optional, Sequence

from ferry.errors import FerryError
from ferry.graph.check_graph import check
from ferry.graph.graph import Graph

# Set in tests: whether the graph is checked after each pass.
CHECK_VARIABLE = "FERRY_CHECK_PASSES"


class Pass(NamedTuple):
    """One pass: ``run`` edits the graph that it is given and returns whether it changed anything.

    ``reason`` is why it has its place among the others.
    """

    run: Callable[[Graph], bool]
    reason: str

    @property
    def name(self) -> str:
        """The name of the pass, which is that of its function and module."""
        return self.run.__name__


class PassError(Exception):
    """A pass failed, or left an invalid graph: a fault in Ferry, whatever the model.

    ``name`` is the pass's, ``cause`` what it raised.
    """

    def __init__(self, name: str, cause: Exception):
        super().__init__(f"the graph pass {name}: {type(cause).__name__}: {cause}")
        self.name, self.cause = name, cause


class PassManager:
    """Runs ``passes`` in order.

    Args:
        check: whether to check the graph after each pass that changed it; the environment variable
            ``FERRY_CHECK_PASSES`` decides where that is ``None``.
    """

    def __init__(self, passes: Sequence[Pass], check: Optional[bool] = None):
        self._passes: List[Pass] = list(passes)
        self._check = os.environ.get(CHECK_VARIABLE, "") not in ("", "0") if check is None else check

    def run(self, graph: Graph) -> bool:
        """Drop what is dead in ``graph``, run all passes on it, and return whether that changed it.

        Raises:
            FerryError: a pass found that the model cannot be converted.
            PassError: a pass raised anything else, or left an invalid graph.
        """
        changed = graph.remove_dead()
        for each in self._passes:
            changed = self._run_one(each, graph) or changed
        return changed

    def _run_one(self, each: Pass, graph: Graph) -> bool:
        try:
            changed = each.run(graph)
            if changed:
                graph.remove_dead()
            if self._check:
                check(graph)
        except (FerryError, MemoryError):
            raise
        except Exception as error:
            raise PassError(each.name, error) from error
        return changed
