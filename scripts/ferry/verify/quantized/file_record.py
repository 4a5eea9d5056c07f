"""The record that Ferry leaves beside a quantized file: what was decided as it was made."""

import hashlib
import json
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

# A range that is narrower than what was measured by less was not cut: it was rounded to steps.
NOT_CUT = 0.02


class FileRecord(NamedTuple):
    """``measured`` are ranges by the float file's tensors, ``chosen`` those of them that were cut on purpose.

    ``in_float`` names, for each operator that stays in float, its kind, its output and the reason.
    """

    measured: Dict[str, Tuple[float, float]]
    chosen: Dict[str, Tuple[float, float]]
    calibration: Optional[Dict[str, Any]]
    in_float: List[Dict[str, str]]


def read(path: str, quantized: bytes, floating: bytes) -> Tuple[Optional[FileRecord], Optional[str]]:
    """The record at ``path``, or why it is none of the file ``quantized``, which is made beside ``floating``."""
    try:
        with open(path, encoding="utf-8") as file:
            held = json.load(file)
        ours = held["sha256"], held["float_sha256"]
        if ours[0] != hashlib.sha256(quantized).hexdigest():
            return None, f"{path} is the record of another file, and is not heeded"
        if ours[1] != hashlib.sha256(floating).hexdigest():
            return None, f"{path} is of a file made beside another model.tflite, and is not heeded"
        ranges = {name: (each["min"], each["max"]) for name, each in held["ranges"].items()}
        used = {name: (each["used_min"], each["used_max"]) for name, each in held["ranges"].items()}
        cut = {name: range_ for name, range_ in used.items() if _is_cut(ranges[name], range_)}
        return FileRecord(ranges, cut, held.get("calibration"), list(held.get("in_float", []))), None
    except FileNotFoundError:
        return None, f"there is no record {path}: ranges that were cut on purpose are not known"
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None, f"{path} is no record of a quantized file, and is not heeded"


def _is_cut(measured: Tuple[float, float], used: Tuple[float, float]) -> bool:
    slack = NOT_CUT * (max(measured[1], 0.0) - min(measured[0], 0.0))
    return used[0] > measured[0] + slack or used[1] < measured[1] - slack
