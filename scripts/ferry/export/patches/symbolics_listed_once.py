"""The exporter lists its symbolic functions once.

PyTorch 1.5.1 inspects its three modules of them anew for each of a model's operators, which takes a third of the whole
export of MobileNetV2.
"""

import functools

from torch.onnx import symbolic_registry


def install() -> None:
    """Have it so from now on."""
    if not hasattr(symbolic_registry.get_ops_in_version, "cache_info"):
        symbolic_registry.get_ops_in_version = functools.lru_cache(maxsize=None)(symbolic_registry.get_ops_in_version)
