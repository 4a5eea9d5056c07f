"""TFLite's converter, with the names of all inputs and outputs kept."""

from ferry.errors import UnsupportedModelError
from ferry.frozen import distinct_outputs, frozen_graph
from ferry.tflite import converter, flatbuffer


def convert(
    graph_def: frozen_graph.GraphDef,
    allow_flex: bool = True,
    batch_matmul: bool = True,
    weights: str = converter.FLOAT32,
) -> bytes:
    """What ``converter.convert`` makes, with the inputs and outputs of ``graph_def``.

    Raises:
        UnsupportedModelError: it cannot be converted, or a tensor has two names.
    """
    data = converter.convert(graph_def, allow_flex, batch_matmul, weights)
    names = frozen_graph.input_names(graph_def), frozen_graph.output_names(graph_def)
    lost = {name for name, made in zip(names[1], flatbuffer.interface(data)[1]) if name != made}
    if lost:
        data = converter.convert(distinct_outputs.copied(graph_def, lost), allow_flex, batch_matmul, weights)
    made = flatbuffer.interface(data)
    if made != names:
        raise UnsupportedModelError(
            f"the inputs and outputs {', '.join(names[0] + names[1])} came out as {', '.join(made[0] + made[1])}: "
            "TFLite keeps one name for a tensor, and two of these are one"
        )
    return data
