"""A range of integers, for those who have no ONNX."""

from typing import NamedTuple


class IndexRange(NamedTuple):
    """The integers from ``lowest`` to ``highest``."""

    lowest: int
    highest: int
