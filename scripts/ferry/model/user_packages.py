"""The packages that REQUIREMENTS named: where the runner has put them, and what they are.

``FERRY_PACKAGES`` names a folder that holds them in ``site``, and ``packages.json`` with their versions and hashes.
"""

import json
import os
import site
from typing import Any, Dict, List, Optional

VARIABLE = "FERRY_PACKAGES"


def folder() -> str:
    """The folder that they are in; empty where there are none."""
    return os.environ.get(VARIABLE, "")


def add() -> None:
    """Let imports find them, after all that Ferry's own environment has."""
    if folder():
        site.addsitedir(os.path.join(folder(), "site"))


def recorded() -> Optional[List[Dict[str, Any]]]:
    """The name, version and hashes of each; ``None`` where there was no REQUIREMENTS."""
    if not folder():
        return None
    with open(os.path.join(folder(), "packages.json"), encoding="utf-8") as file:
        return json.load(file)
