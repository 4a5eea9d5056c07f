"""Is there a container engine that answers? A client on PATH is not one."""

import shutil
import subprocess
from typing import Optional

SECONDS_TO_ANSWER = 5
QUESTIONS = {
    "docker": ["docker", "version", "--format", "{{.Server.Version}}"],
    "podman": ["podman", "version", "--format", "{{.Version}}"],
}


def version(engine: str) -> Optional[str]:
    """The version of the engine that answers to the client ``docker`` or ``podman``; ``None`` if none does."""
    if not shutil.which(engine):
        return None
    try:
        asked = subprocess.run(
            QUESTIONS[engine], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=SECONDS_TO_ANSWER
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    answer = asked.stdout.decode(errors="replace").strip()
    return answer if asked.returncode == 0 and answer else None
