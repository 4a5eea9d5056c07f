"""Keep the input on which a failed stage is worst, so that it can be looked at and tried again."""

import os
from typing import Any, Dict

import numpy as np

from ferry import atomic_file
from ferry.verify import npz
from ferry.verify.measure import Outcome


def save(build: str, report: Dict[str, Any], outcome: Outcome) -> None:
    """Write ``worst_input_<stage>.npz`` for each stage of ``report`` that failed by its values, and note it there.

    Each holds one array an input, [1, *shape], as ``INPUTS=`` takes them. That of a stage that passes is removed.
    """
    for name, stage in report["stages"].items():
        path = os.path.join(build, f"worst_input_{name}.npz")
        if stage["passed"] or stage["worst_sample"] is None:
            if os.path.exists(path):
                os.unlink(path)
            continue
        members = npz.member_names([spec.name for spec in outcome.inputs])
        arrays = [array[np.newaxis] for array in outcome.worst_inputs[name]]
        atomic_file.write_bytes(path, npz.to_bytes(dict(zip(members, arrays))))
        stage["worst_input"] = path
