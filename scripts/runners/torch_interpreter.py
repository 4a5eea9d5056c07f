"""The interpreter whose PyTorch runs the user's model, where that is not the pinned one."""

import json
import os
import subprocess
from typing import List, NamedTuple, Optional

from runners import sandbox, variables, venv
from runners.errors import RunnerError
from runners.paths import ROOT
from runners.stages import Job, Stage

# What an interpreter says of the places that it reads its modules from.
PROBE = "import json, sys; print(json.dumps([sys.prefix, sys.base_prefix, sys.exec_prefix, *sys.path]))"


class TorchInterpreter(NamedTuple):
    """An interpreter, and the lock that it was filled from, relative to the checkout; empty for a user's own."""

    python: str
    lock: str

    def options(self) -> List[str]:
        """What a stage is told of it."""
        return [f"--torch={self.python}", *([f"--torch-lock={self.lock}"] if self.lock else [])]


def of(stage: Stage, job: Job) -> Optional[TorchInterpreter]:
    """The one that ``stage`` needs, made where it has to be; None where the pinned PyTorch or none runs the model.

    Raises:
        RunnerError: it cannot be made.
    """
    value = job.values["TORCH"]
    if value == "1.5" or "TORCH" not in stage.variables or job.models[0].source.endswith(".onnx"):
        return None
    if variables.is_path(value):
        return TorchInterpreter(os.path.abspath(str(ROOT / os.path.expanduser(value))), "")
    python = venv.ensure(venv.TORCH2)
    return TorchInterpreter(str(python), str(venv.TORCH2.filled_from().relative_to(ROOT)))


def reads(interpreter: TorchInterpreter) -> List[str]:
    """The absolute paths of what the interpreter reads, for a sandbox.

    Raises:
        RunnerError: it does not run.
    """
    if interpreter.lock:
        return sandbox.interpreter_paths(interpreter.python)
    command = [interpreter.python, "-s", "-c", PROBE]
    try:
        asked = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60, check=True)
        places = json.loads(asked.stdout.decode())
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise RunnerError(f"TORCH={interpreter.python} does not run as a Python does: {error}") from error
    prefix, *others = [place for place in places if place and os.path.exists(place)]
    # Of a Python that was installed into somebody's home or the system, the folder around it is no part.
    parts = [
        os.path.join(place, part) for place in (prefix, *others[:1]) for part in ("bin", "lib", "lib64", "pyvenv.cfg")
    ]
    return list(dict.fromkeys([*filter(os.path.exists, parts), interpreter.python, *others[2:]]))
