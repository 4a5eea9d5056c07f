"""The names that a model's inputs and outputs keep through every stage."""

import re
from typing import Dict, List

FORBIDDEN = re.compile(r"[^A-Za-z0-9_.\-/]")
FORBIDDEN_FIRST = re.compile(r"^[^A-Za-z0-9.]|^$")


def input_names(count: int) -> List[str]:
    """``input`` alone, or ``input_0``, ``input_1``, …"""
    return numbered("input", count)


def output_names(count: int) -> List[str]:
    """``output`` alone, or ``output_0``, ``output_1``, …"""
    return numbered("output", count)


def numbered(stem: str, count: int) -> List[str]:
    """``stem`` alone, or with the positions from 0 on."""
    return [stem] if count == 1 else [f"{stem}_{position}" for position in range(count)]


def unused(name: str, used: Dict[str, int]) -> str:
    """``name`` in a form that TensorFlow takes and that is not in ``used``, to which it is added.

    ``used`` has the names in small letters, each with the number that was last put behind it.

    TensorFlow takes ASCII letters, digits and ``_.-/``, of which all but ``_``, ``-`` and ``/`` may come first.
    """
    valid = FORBIDDEN_FIRST.sub("t\\g<0>", FORBIDDEN.sub("_", name))
    candidate, key = valid, valid.lower()
    # TensorFlow holds names that differ in case only to be one, where a file system would.
    while candidate.lower() in used:
        used[key] += 1
        candidate = f"{valid}_{used[key]}"
    used[candidate.lower()] = 0
    return candidate
