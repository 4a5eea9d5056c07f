"""The worker that observes what the inputs reach: a crash of ONNX Runtime in it leaves the verdict as it is."""

from typing import Any, Dict, List

import numpy as np

from ferry.bisect.onnx_side import OnnxSide
from ferry.errors import foreign_errors
from ferry.evaluate.graph import Evaluator
from ferry.graph import onnx_file
from ferry.graph.from_onnx import from_onnx
from ferry.graph.pass_list import REWRITING
from ferry.graph.pass_manager import PassManager
from ferry.graph.to_onnx import to_onnx
from ferry.runtimes import LIBRARIES
from ferry.verify.coverage.input_coverage import InputCoverage, TableCoverage
from ferry.verify.coverage.observed import mark, observe
from ferry.verify.coverage.reach import Reach, Table
from ferry.verify.input_source import InputSource

# As many inputs are run through the network, spread over all.
SAMPLES = 16
# An index that is computed from the inputs by these alone is computed for all inputs.
CHEAP = {
    "Add", "Cast", "Clip", "Concat", "Div", "Flatten", "Gather", "Identity", "Mod", "Mul", "Reshape", "Slice", "Split",
    "Squeeze", "Sub", "Transpose", "Unsqueeze",
}  # fmt: skip


class CoverageWorker:
    """The model in the ONNX file ``path``."""

    def __init__(self, path: str):
        graph = from_onnx(onnx_file.load(path))
        # A weight may come through a transpose: with constants folded it is one.
        PassManager([REWRITING[0]]).run(graph)
        self._model = to_onnx(graph)

    def hello(self) -> Dict[str, Any]:
        """Nothing but that it is there."""
        return {}

    def cover(self, source: InputSource) -> InputCoverage:
        """What the inputs of ``source`` reach."""
        reach = Reach(self._model)
        chosen = sorted({int(each) for each in np.linspace(0, source.count - 1, SAMPLES)})
        counted = {table.read_by: self._rows_of_all(table, source) for table in reach.tables}
        run = {table.read_by: table.rows for table in reach.tables if counted[table.read_by] is None}
        # Of another model's file the inputs are none.
        with foreign_errors("ONNX Runtime refuses the inputs", *LIBRARIES):
            seen = observe(self._model, reach.wanted, run, (source.sample(position) for position in chosen))
        tables = _tables(reach.tables, counted, seen.rows, source.count, len(chosen))
        widths = {table.name: table.width for table in reach.tables}
        weights, reached = reach.weights_reached(seen.extremes)
        channels, dead, saturated = reach.channels(seen.extremes)
        return InputCoverage(
            samples=len(chosen),
            weights=weights + sum(widths[each.name] * each.rows for each in tables),
            weights_reached=reached + sum(widths[each.name] * each.read for each in tables),
            tables=tables,
            activations=len(reach.activations),
            one_sided=reach.one_sided(seen.extremes),
            channels=channels,
            dead=dead,
            saturated=saturated,
        )

    def _rows_of_all(self, table: Table, source: InputSource) -> Any:
        """The rows that are read over all inputs; ``None`` where that takes more than a few cheap nodes."""
        side = OnnxSide(self._model)
        inputs = [point.name for point in side.inputs]
        nodes = side.region(table.read_by, inputs)
        if not {node.op_type for node in nodes} <= CHEAP:
            return None
        evaluator, rows = Evaluator(self._model), np.zeros(table.rows, bool)
        for position in range(source.count):
            arrays = dict(zip(inputs, source.sample(position)))
            mark(rows, evaluator.evaluate(nodes, arrays, [table.read_by], bounds=False)[table.read_by].value)
        return rows


def _tables(
    tables: List[Table], counted: Dict[str, Any], run: Dict[str, np.ndarray], every: int, chosen: int
) -> List[TableCoverage]:
    """Of each table, however often it is read, what all its readers together read."""
    found: Dict[str, np.ndarray] = {}
    samples: Dict[str, int] = {}
    for table in tables:
        whole = counted[table.read_by] is not None
        rows = counted[table.read_by] if whole else run[table.read_by]
        found[table.name] = found[table.name] | rows if table.name in found else rows
        samples[table.name] = min(samples.get(table.name, every), every if whole else chosen)
    return [TableCoverage(name, len(rows), int(rows.sum()), samples[name]) for name, rows in found.items()]
