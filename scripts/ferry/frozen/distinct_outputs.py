"""Give outputs that TFLite would make one tensor of a tensor each."""

from typing import Set

import tensorflow as tf
from tensorflow.core.framework.graph_pb2 import GraphDef

from ferry.frozen import frozen_graph


def copied(graph_def: GraphDef, names: Set[str]) -> GraphDef:
    """The same graph, in which each output of ``names`` is computed from what it was before.

    TFLite keeps one name for a tensor, so that an output returned twice, or an input that is returned, loses one of its
    names; and the converter removes any operator that merely copies. The larger of a value and itself it leaves alone.
    """
    made = GraphDef()
    made.CopyFrom(graph_def)
    inputs, outputs = frozen_graph.input_names(graph_def), frozen_graph.output_names(graph_def)
    changed = [node for node in made.node if node.name in names and node.op == "Identity"]
    for position, node in enumerate(changed):
        name, kind = node.name, node.attr["T"]
        last = node.name = f"{name}/shared"
        # The converter merges equal operators on one tensor too, so that each output is one more operator away.
        for step in [*(f"{name}/copy_{count}" for count in range(position)), name]:
            copy = made.node.add(name=step, op="LogicalAnd", input=[last, last])
            if kind.type != tf.bool.as_datatype_enum:
                copy.op = "Maximum"
                copy.attr["T"].CopyFrom(kind)
            last = step
    frozen_graph.put_in_order(made, inputs, outputs)
    return made
