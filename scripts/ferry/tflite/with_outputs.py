"""TFLite's converter, with the names of all inputs and outputs kept."""

from typing import Callable, TypeVar, Union

from ferry.errors import UnsupportedModelError
from ferry.frozen import distinct_outputs, frozen_graph
from ferry.frozen.light_graph import LightGraph
from ferry.tflite import converter, flatbuffer
from ferry.tflite.converted_model import ConvertedModel

Model = TypeVar("Model", bytes, ConvertedModel)


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
    return _with_names(graph_def, lambda given: converter.convert(given, allow_flex, batch_matmul, weights))


def convert_light(light: LightGraph, allow_flex: bool = True, batch_matmul: bool = True) -> ConvertedModel:
    """The same of what ``converter.convert_light`` makes."""

    def converted(given: frozen_graph.GraphDef) -> ConvertedModel:
        return converter.convert_light(light._replace(graph_def=given), allow_flex, batch_matmul)

    return _with_names(light.graph_def, converted)


def _with_names(graph_def: frozen_graph.GraphDef, converted: Callable[[frozen_graph.GraphDef], Model]) -> Model:
    model = converted(graph_def)
    names = frozen_graph.input_names(graph_def), frozen_graph.output_names(graph_def)
    lost = {name for name, made in zip(names[1], flatbuffer.interface(_data(model))[1]) if name != made}
    if lost:
        model = converted(distinct_outputs.copied(graph_def, lost))
    made = flatbuffer.interface(_data(model))
    if made != names:
        raise UnsupportedModelError(
            f"the inputs and outputs {', '.join(names[0] + names[1])} came out as {', '.join(made[0] + made[1])}: "
            "TFLite keeps one name for a tensor, and two of these are one"
        )
    return model


def _data(model: Union[bytes, ConvertedModel]) -> Union[bytes, memoryview]:
    return model if isinstance(model, bytes) else model.data
