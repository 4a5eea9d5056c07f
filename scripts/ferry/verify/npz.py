"""Arrays by name in an ``.npz``, whatever the tensors are called."""

import io
import re
import zipfile
from typing import Dict, List

import numpy as np
from numpy.lib import format as npy

# What any tool can unpack below its own folder: short names of letters, digits and a few signs, none of them hidden.
_SAFE = re.compile(r"\w[\w.:+-]*(/\w[\w.:+-]*)*", re.ASCII)
_LONGEST = 100


def member_names(names: List[str]) -> List[str]:
    """What the arrays of the tensors ``names`` are called in an archive: the same, or ``input_0`` by position.

    The names in an archive become paths where somebody unpacks it, so that ``../../x`` may be none.
    """
    safe = {name for name in names if len(name) <= _LONGEST and _SAFE.fullmatch(name)}
    found = []
    for position, name in enumerate(names):
        member = name
        if name not in safe:
            member = f"input_{position}"
            while member in safe:
                member += "_"
        found.append(member)
    return found


def to_bytes(arrays: Dict[str, np.ndarray]) -> bytes:
    """An ``.npz`` of ``arrays``, which may bear names that ``numpy.savez`` takes for its own parameters."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                npy.write_array(file, np.asanyarray(array), allow_pickle=False)
    return buffer.getvalue()
