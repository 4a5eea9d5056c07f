"""What a report was made with: versions, lock and machine."""

import hashlib
import os
import platform
from typing import Any, Dict, Optional

from ferry.model import user_packages
from ferry.versions import versions

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), *[os.pardir] * 2)


def provenance() -> Dict[str, Any]:
    """The packages' versions, the lock's SHA-256, what REQUIREMENTS added, and the processor's name."""
    found = versions()
    release = ".".join(found["tensorflow"].split(".")[:2])
    # The default TensorFlow's lock is the repository's; another's is named after it.
    lock = os.path.join(ROOT, "requirements", f"tf{release}.lock")
    if not os.path.exists(lock):
        lock = os.path.join(ROOT, "requirements.lock")
    return {
        "versions": found,
        "lock": os.path.relpath(lock, ROOT),
        "lock_sha256": _digest(lock),
        "packages": user_packages.recorded(),
        "platform": platform.platform(terse=True),
        "processor": _processor(),
    }


def of_torch(versions: Dict[str, str], lock: str) -> Dict[str, Any]:
    """The same of the environment of another PyTorch; ``lock`` is relative to the checkout, or empty without one."""
    return {
        "versions": versions,
        "lock": lock or None,
        "lock_sha256": _digest(os.path.join(ROOT, lock)) if lock else None,
    }


def _digest(path: str) -> Optional[str]:
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except OSError:
        return None


def _processor() -> Optional[str]:
    try:
        with open("/proc/cpuinfo") as file:
            names = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    except OSError:
        return None
    return names[0] if names else None
