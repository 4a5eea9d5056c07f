"""uv, pinned and hashed, in a small environment of its own."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict

from runners.errors import RunnerError
from runners.paths import ENVIRONMENTS, REQUIREMENTS

LOCK = REQUIREMENTS / "uv.lock"
HOME = ENVIRONMENTS / "uv"
MARKER = HOME / "ferry-lock"


def ensure() -> Path:
    """The path of the pinned uv, installed from the package index by this Python's venv and pip on first use.

    Raises:
        RunnerError: this Python has no venv module, or the install failed.
    """
    program = HOME / "bin" / "uv"
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if program.exists() and MARKER.exists() and MARKER.read_text() == digest:
        return program
    shutil.rmtree(HOME, ignore_errors=True)
    made = subprocess.run([sys.executable, "-m", "venv", str(HOME)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if made.returncode:
        shutil.rmtree(HOME, ignore_errors=True)
        raise RunnerError(
            f"{sys.executable} cannot make a virtual environment; on Debian and Ubuntu, `apt install python3-venv` "
            f"gives it what it lacks ({_last_line(made.stdout)})"
        )
    # uv's wheel holds a static program: which Python unpacks it makes no difference, so an old one may too.
    pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--ignore-requires-python"]
    command = [str(HOME / "bin" / "python"), *pip, "--require-hashes", "--no-deps", "-r", str(LOCK)]
    if subprocess.run(command, stdout=sys.stderr).returncode:
        shutil.rmtree(HOME, ignore_errors=True)
        raise RunnerError("uv could not be installed; pip's message above says why (network, proxy, index)")
    MARKER.write_text(digest)
    return program


def environment() -> Dict[str, str]:
    """The environment variables uv runs with: the user's own, made to see what pip would see."""
    variables = dict(os.environ)
    # Behind a company's proxy its certificate is in the system's store, not among those that uv brings.
    variables.setdefault("UV_SYSTEM_CERTS", "1")
    if "PIP_INDEX_URL" in variables:
        variables.setdefault("UV_DEFAULT_INDEX", variables["PIP_INDEX_URL"])
    if "PIP_FIND_LINKS" in variables:
        # pip's list has spaces in it, uv's has commas.
        variables.setdefault("UV_FIND_LINKS", ",".join(variables["PIP_FIND_LINKS"].split()))
    variables["UV_NO_CONFIG"] = "1"
    variables.pop("VIRTUAL_ENV", None)
    return variables


def _last_line(output: bytes) -> str:
    lines = output.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it gave no reason"
