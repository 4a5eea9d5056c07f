"""TensorFlow forms of ONNX operators that TFLite has a fast kernel for. One operator, or one kind of them, a file.

A lowering is ``lower(node, tensors) -> [made, …]`` or, where this node's form is beyond it, ``Declined("why")``: the
next lowering of the operator, or onnx-tf's own handler, then takes the node. ``tensors`` gives each input in ONNX's
layout or with its channels last, and each output says which of the two it is. A lowering registers itself under its
operators with ``ferry.graph.operator_registry.lowers``. Importing this package imports every file in it, so that
whoever takes ``lowerings_of`` from here finds all of them.
"""

import importlib
import pkgutil

from ferry.graph.operator_registry import lowerings_of

__all__ = ["lowerings_of"]

for _module in sorted(entry.name for entry in pkgutil.iter_modules(__path__)):
    importlib.import_module(f"{__name__}.{_module}")
