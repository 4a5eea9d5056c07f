"""Text that a model or a file brought, made safe to show: on a terminal, in a log, in a report or on a page.

A tensor's name or an error's text may hold anything. A terminal obeys escape sequences, and text that is laid out from
right to left may read as something else than it is. Standard library only, so that the runners may use it too.
"""

import re
from typing import List

# Controls (C0, DEL and C1), what breaks or reorders a line, and what no encoding of text holds.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]")
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def printable(text: str) -> str:
    """``text`` on one line; characters that are instructions and no letters are shown as ``\\x1b`` and its like."""
    return _UNSAFE.sub(_escaped, text)


def printable_lines(text: str) -> List[str]:
    """The lines of ``text``, each printable; all but the first are indented, so that none passes for a new message."""
    first, *rest = text.split("\n")
    return [printable(first.rstrip()), *(f"    {printable(line.strip())}" for line in rest if line.strip())]


def _escaped(match: "re.Match[str]") -> str:
    code = ord(match.group())
    return _SHORT.get(match.group()) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")
