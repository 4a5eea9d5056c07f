"""Make a global average pool and the flattening after it one ``ReduceMean`` that drops the spatial dimensions."""

from typing import List, Optional

import onnx
from onnx import helper

from ferry.graph.passes.chains import replace_chains
from ferry.graph.passes.fold_constants import static_shapes


def fold_pool_flatten(model: onnx.ModelProto) -> None:
    """Rewrite, in place, each ``GlobalAveragePool`` whose (N, C, 1, …) output is only ever read as (N, C)."""
    shapes = static_shapes(model)

    def build(run: List[onnx.NodeProto]) -> Optional[onnx.NodeProto]:
        pool, flatten = run
        before, after = shapes.get(pool.input[0]), shapes.get(flatten.output[0])
        if before is None or after != before[:2] or len(before) < 3:
            return None
        axes = list(range(2, len(before)))
        return helper.make_node(
            "ReduceMean", [pool.input[0]], [flatten.output[0]], name=pool.name, axes=axes, keepdims=0
        )

    replace_chains(model, [["GlobalAveragePool"], ["Reshape", "Flatten", "Squeeze"]], build)
