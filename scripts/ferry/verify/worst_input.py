"""Keep the input on which a failed stage is worst, so that it can be looked at and tried again."""

import os

import numpy as np

from ferry import atomic_file
from ferry.verify import npz
from ferry.verify.measure import Outcome
from ferry.verify.verdict import Verdict


def path_of(folder: str, stage: str) -> str:
    """The file in ``folder`` that the input on which ``stage`` is worst is kept in."""
    return os.path.join(folder, f"worst_input_{stage}.npz")


def save(folder: str, verdict: Verdict, outcome: Outcome) -> None:
    """Write into ``folder`` the worst input of each stage that the ``verdict`` names one for, and remove the others.

    Each holds one array an input, [1, *shape], as ``INPUTS=`` takes them.
    """
    members = npz.member_names([spec.name for spec in outcome.inputs])
    for name, stage in verdict.stages.items():
        path = path_of(folder, name)
        if stage.worst_input is not None:
            arrays = [array[np.newaxis] for array in outcome.worst_inputs[name]]
            atomic_file.write_bytes(path, npz.to_bytes(dict(zip(members, arrays))))
        elif os.path.exists(path):
            os.unlink(path)
