"""Which build of today's PyTorch can be had: the one for the CPU, or the package index's own with CUDA's libraries.

The build for the CPU is on PyTorch's own index, where uv finds it if it is told so:
https://docs.astral.sh/uv/guides/integration/pytorch/. Who has the wheel elsewhere names the place in ``UV_FIND_LINKS``.
"""

import re
import subprocess
import tempfile
from pathlib import Path
from typing import Dict, Optional

BACKEND = "UV_TORCH_BACKEND"
PINNED = re.compile(r"^torch==\S+", re.MULTILINE)


def variables_for_cpu(uv: Path, python: str, lock: Path, variables: Dict[str, str]) -> Optional[Dict[str, str]]:
    """The environment variables with which ``uv`` finds the build that ``lock`` names; None where it finds it nowhere.

    Where ``variables`` suffice as they are, so that a mirror of the user's is asked first, nobody else is asked.
    """
    wanted = PINNED.search(lock.read_text())
    assert wanted is not None, f"{lock} names no torch"
    for tried in (variables, {**variables, BACKEND: variables.get(BACKEND, "cpu")}):
        if _finds(uv, python, wanted.group(), tried):
            return tried
    return None


def _finds(uv: Path, python: str, requirement: str, variables: Dict[str, str]) -> bool:
    with tempfile.NamedTemporaryFile("w", suffix=".in") as file:
        file.write(requirement + "\n")
        file.flush()
        command = [str(uv), "pip", "compile", "--quiet", "--no-deps", "--no-header", f"--python-version={python}"]
        asked = subprocess.run(
            [*command, "--python-platform=x86_64-manylinux_2_28", "--only-binary=torch", file.name],
            env=variables,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    return asked.returncode == 0
