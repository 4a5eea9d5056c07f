"""Numbers as a reader wants them: three digits, units, powers of ten."""

from typing import Optional

from rich import filesize

NONE = "-"
TIMES = "\u00d7"
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def scientific(value: Optional[float]) -> str:
    """``1.9e-06``."""
    return NONE if value is None else f"{value:.1e}"


def multiple(value: Optional[float]) -> str:
    """``1.21×``."""
    if value is None:
        return NONE
    return f"{value:.2f}{TIMES}" if value < 1000 else f"{value:.1e}{TIMES}"


def share(value: Optional[float]) -> str:
    """``99.9%``; 100% is said of nothing less."""
    if value is None:
        return NONE
    return "100%" if value == 1 else f"{min(value, 0.999):.1%}"


def decibels(value: Optional[float]) -> str:
    """``139 dB``."""
    return NONE if value is None else f"{value:.0f} dB"


def milliseconds(value: Optional[float]) -> str:
    """``12.3 ms``."""
    return NONE if value is None else f"{value:.1f} ms"


def size(value: Optional[int]) -> str:
    """``14.0 MB``."""
    return NONE if value is None else filesize.decimal(value)


def power_of_ten(exponent: int) -> str:
    """``10⁻⁶``."""
    return "10" + str(exponent).translate(_SUPERSCRIPTS)


def cosine(value: Optional[float]) -> str:
    """The cosine's distance from 1, which is what can be read."""
    return NONE if value is None else f"1 - {max(1 - value, 0):.0e}"
