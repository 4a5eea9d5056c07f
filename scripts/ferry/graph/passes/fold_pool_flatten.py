"""Make a global average pool and the flattening after it one ``ReduceMean`` that drops the spatial dimensions."""

from ferry.graph.graph import Graph
from ferry.graph.passes.chains import runs


def fold_pool_flatten(graph: Graph) -> bool:
    """Rewrite each ``GlobalAveragePool`` whose (N, C, 1, …) output is only ever read as (N, C)."""
    changed = False
    for run in runs(graph, [["GlobalAveragePool"], ["Reshape", "Flatten", "Squeeze"]]):
        pool, flatten = run
        source = pool.input(0)
        before = source.static_shape if source else None
        if before is None or len(before) < 3 or flatten.output.static_shape != before[:2]:
            continue
        axes = list(range(2, len(before)))
        graph.replace(run, "ReduceMean", [source], {"axes": axes, "keepdims": 0}, pool.name)
        changed = True
    return changed
