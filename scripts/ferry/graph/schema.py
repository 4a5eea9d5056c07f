"""What ONNX's own schemas say of an operator's attributes, so that no default is written down a second time."""

import functools
from typing import Any, Dict, Optional

import onnx
from onnx import defs, helper

# onnx-tf 1.6.0 has handlers from opset 7 on; ONNX 1.7.0 ends at 12.
OLDEST_OPSET, NEWEST_OPSET = 7, 12


@functools.lru_cache(maxsize=None)
def defaults(operator: str, opset: int = NEWEST_OPSET) -> Dict[str, Any]:
    """The attributes of ``operator`` that have a default, and what it is, in operator set ``opset``.

    Floats are float32's, as an attribute of a file is; text is ``str``. An operator that ONNX does not know has none.
    """
    found = _schema(operator, opset)
    entries = found.attributes.items() if found else ()
    return {name: python_value(entry.default_value) for name, entry in entries if entry.default_value.name}


@functools.lru_cache(maxsize=None)
def takes_any_number(operator: str, opset: int) -> bool:
    """Whether the last input of ``operator`` stands for any number of them, of which none may be left out."""
    found = _schema(operator, opset)
    variadic = defs.OpSchema.FormalParameterOption.Variadic
    return found is not None and len(found.inputs) > 0 and found.inputs[-1].option == variadic


def _schema(operator: str, opset: int) -> Optional[Any]:
    try:
        return defs.get_schema(operator, opset, "")
    except RuntimeError:  # As pybind11 raises onnx's SchemaError: there is no such operator.
        return None


def default(operator: str, attribute: str) -> Any:
    """The default of one attribute, in the newest operator set."""
    return defaults(operator)[attribute]


def python_value(entry: onnx.AttributeProto) -> Any:
    """An attribute as Python has it: text as ``str``, what is repeated as a list, tensors and graphs as messages."""
    value = helper.get_attribute_value(entry)
    if isinstance(value, (bytes, float, int)) or not hasattr(value, "__len__"):
        return _text(value)
    return [_text(each) for each in value]


def _text(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value
