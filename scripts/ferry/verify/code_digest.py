"""A digest of the code that a model was made by."""

import hashlib
import os
import sys

from ferry.model import model_file


def of(path: str) -> str:
    """A digest of the model file and of whatever else was imported that belongs neither to Python nor to Ferry."""
    ours = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(model_file.__file__))))
    apart = [os.path.realpath(folder) + os.sep for folder in (sys.prefix, sys.base_prefix, ours)]
    files = {os.path.realpath(path)}
    for module in list(sys.modules.values()):
        file = os.path.realpath(getattr(module, "__file__", None) or os.devnull)
        # A module of today's PyTorch that is no file, torch.classes, says that it is one.
        if file.endswith(".py") and os.path.isfile(file) and not any(file.startswith(folder) for folder in apart):
            files.add(file)
    digest = hashlib.sha256()
    for file in sorted(files):
        with open(file, "rb") as opened:
            digest.update(hashlib.sha256(opened.read()).digest())
    return digest.hexdigest()
