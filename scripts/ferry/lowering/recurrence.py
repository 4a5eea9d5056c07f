"""Whether a recurrent layer is unrolled or fused, by ``RECURRENT`` or by how many steps the model has."""

from typing import Dict

from ferry.graph.graph import Graph

CHOICES = ("unrolled", "fused")
RECURRENT = ("GRU", "LSTM", "RNN")
# Steps × layers, each direction a layer, up to which a model is unrolled where the user has not chosen.
MOST_UNROLLED = 512


class Recurrence:
    """What the user chose, ``""`` for the rule, and what has come of it.

    Attributes:
        unrolled: why a layer is not fused that the choice or the rule would have fused, by its node's name.
    """

    def __init__(self, choice: str = ""):
        self._choice = choice
        self._layers = 0
        self.unrolled: Dict[str, str] = {}

    @property
    def choice(self) -> str:
        """What the user chose."""
        return self._choice

    def count(self, graph: Graph) -> None:
        """Count the layers of ``graph``, which is lowered next."""
        nodes = [node for node in graph if node.operator in RECURRENT]
        self._layers = sum(2 if node.attributes.get("direction") == b"bidirectional" else 1 for node in nodes)
        self.unrolled = {}

    def fuses(self, steps: int) -> bool:
        """Whether a layer of so many steps is fused where it can be."""
        return self._choice == "fused" or (not self._choice and steps * self._layers > MOST_UNROLLED)
