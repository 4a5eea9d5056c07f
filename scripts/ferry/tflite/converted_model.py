"""A converted model whose large weights are not in memory until it is written."""

from typing import Any, Dict, Iterator, NamedTuple, Optional, Union

from ferry.tflite import sparse_memory, stand_ins
from ferry.tflite.stand_ins import MARK_BYTES, StandIn


class ConvertedModel(NamedTuple):
    """``data`` is a model that can be written to, with a mark in the place of each weight that has a stand-in."""

    data: memoryview
    stand_ins: Dict[str, StandIn]

    def pieces(self) -> Iterator[Any]:
        """The bytes of the model, with one of the weights in memory at a time."""
        position = 0
        for hole in stand_ins.find_marked(self.data, self.stand_ins):
            yield self.data[position : hole.start]
            yield memoryview(hole.stand_in.values().reshape(-1)).cast("B")
            position = hole.end
        yield self.data[position:]

    def agrees(self, other: bytes) -> bool:
        """Whether ``other``, converted with stand-ins of the other sign, differs in these alone."""
        view = memoryview(other)
        holes = stand_ins.find_marked(self.data, self.stand_ins)
        return (
            len(view) == len(self.data)
            and holes == stand_ins.find(view, self.stand_ins, negative=True)
            and all(self.data[start:end] == view[start:end] for start, end in stand_ins.gaps(holes, len(view)))
        )

    def rewritten(self, data: Union[bytes, memoryview]) -> Optional["ConvertedModel"]:
        """The model after it was edited, ``data``; ``None`` where one of the weights became part of another."""
        before, after = (stand_ins.find_marked(each, self.stand_ins) for each in (self.data, memoryview(data)))
        if sorted(hole.stand_in.bits for hole in before) != sorted(hole.stand_in.bits for hole in after):
            return None
        return ConvertedModel(memoryview(data), self.stand_ins)


def from_run(data: bytes, given: Dict[str, StandIn]) -> ConvertedModel:
    """What was converted with the stand-ins ``given``, of which the marks are kept."""
    holes = [hole._replace(start=hole.start + MARK_BYTES) for hole in stand_ins.find(memoryview(data), given)]
    return ConvertedModel(sparse_memory.copy(data, stand_ins.gaps(holes, len(data))), given)
