"""What was decided as a quantized file was made: ``model.int8.json`` beside ``model.int8.tflite``.

Whoever checks the file judges by this what was cut on purpose; the file itself cannot say.
"""

import hashlib
import json
from typing import Any, Dict, List, Optional

from ferry.tflite.quantize.float_model import InFloat

FORMAT = 1


def to_bytes(
    scheme: str,
    data: bytes,
    float_data: bytes,
    in_float: List[InFloat],
    io: str = "float32",
    calibration: Optional[Dict[str, Any]] = None,
    ranges: Optional[Dict[str, Dict[str, float]]] = None,
) -> bytes:
    """The record as JSON, the same for the same file.

    Args:
        scheme: ``float16``, ``dynamic`` or ``int8``.
        data: the quantized model.
        float_data: the float model that it belongs to.
        in_float: what stays in float, and why.
        io: the dtype of float inputs and outputs: ``float32`` or ``int8``.
        calibration: what the ranges were measured on: ``text``, ``sha256`` of the inputs and their ``count``.
        ranges: for each tensor, by its name in the float model: ``min`` and ``max`` as measured, ``used_min`` and
            ``used_max`` as the scheme has them. Where the latter are closer, they were cut on purpose.
    """
    held = {
        "format": FORMAT,
        "scheme": scheme,
        "io": io,
        "sha256": hashlib.sha256(data).hexdigest(),
        "float_sha256": hashlib.sha256(float_data).hexdigest(),
        "calibration": calibration,
        "ranges": ranges or {},
        "in_float": [each._asdict() for each in in_float],
    }
    return (json.dumps(held, indent=1, sort_keys=True) + "\n").encode()
