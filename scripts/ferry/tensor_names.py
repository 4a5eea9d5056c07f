"""The names that a model's inputs and outputs carry through every stage."""

from typing import List


def input_names(count: int) -> List[str]:
    """``input`` alone, or ``input_0``, ``input_1``, …"""
    return _numbered("input", count)


def output_names(count: int) -> List[str]:
    """``output`` alone, or ``output_0``, ``output_1``, …"""
    return _numbered("output", count)


def _numbered(stem: str, count: int) -> List[str]:
    return [stem] if count == 1 else [f"{stem}_{position}" for position in range(count)]
