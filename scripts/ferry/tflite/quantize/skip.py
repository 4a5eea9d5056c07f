"""Which operators the user wants left in float: ``SKIP=``."""

import fnmatch
from typing import List, Sequence

from ferry.errors import UnsupportedModelError


class Skip:
    """The patterns in ``text``, separated by commas: shell patterns of operators' kinds, or of what they make.

    ``SOFTMAX`` is all softmaxes, ``decoder*`` all operators whose output's name begins so; case counts.
    """

    def __init__(self, text: str):
        self.patterns: List[str] = [pattern.strip() for pattern in text.split(",") if pattern.strip()]
        self._unused = dict.fromkeys(self.patterns)

    def matches(self, kind: str, outputs: Sequence[str]) -> bool:
        """Whether the operator of this kind, with these outputs, is to stay in float."""
        found = [
            pattern for pattern in self.patterns if any(fnmatch.fnmatchcase(name, pattern) for name in [kind, *outputs])
        ]
        for pattern in found:
            self._unused.pop(pattern, None)
        return bool(found)

    def refuse_unused(self, kinds: Sequence[str]) -> None:
        """Raise UnsupportedModelError if a pattern has matched no operator; ``kinds`` are those that there are."""
        if self._unused:
            raise UnsupportedModelError(
                f"SKIP={','.join(self._unused)} matches no operator, by its kind or by the name of its output; the "
                f"kinds in this model are {', '.join(kinds)}"
            )
