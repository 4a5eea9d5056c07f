"""Operators whose refusal deserves more than that they are not known."""

from typing import Iterable

from ferry.graph.newer_opsets import unchanged
from ferry.graph.newer_opsets.call import Call
from ferry.graph.newer_opsets.registry import lowers

_WHY = {
    "it draws random numbers, and a TFLite model computes the same each time": (
        "Bernoulli",
        "Multinomial",
        "RandomNormal",
        "RandomNormalLike",
        "RandomUniform",
        "RandomUniformLike",
    ),
    "it is about a value that may be absent, and TFLite knows tensors only": (
        "Optional",
        "OptionalGetElement",
        "OptionalHasElement",
    ),
    "it is about a sequence of tensors, and TFLite knows tensors only": ("SequenceMap",),
    "it is about text, and the later stages compute with numbers": (
        "RegexFullMatch",
        "StringConcat",
        "StringNormalizer",
        "StringSplit",
        "TfIdfVectorizer",
    ),
}


def _register(reason: str, operators: Iterable[str]) -> None:
    @lowers(*operators, since=13)
    def refuse(call: Call) -> None:
        raise call.refuse(reason)


for _reason, _operators in _WHY.items():
    _register(_reason, _operators)


@lowers("RoiAlign", since=16)
def roi_align(call: Call) -> None:
    """Opset 12's boxes are not shifted by half a pixel; since 16 they are unless the node says otherwise."""
    if call.get("coordinate_transformation_mode", "half_pixel") != "output_half_pixel":
        raise call.refuse("its boxes are shifted by half a pixel (half_pixel), and opset 12 has no such form")
    unchanged.write(call, without="coordinate_transformation_mode")
