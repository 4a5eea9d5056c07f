"""What the inputs reach of a model, typed, for the verdict and the reports."""

from dataclasses import dataclass
from typing import List, Optional

# Of many activations the first are named on the terminal; the report has all.
MOST_SAID = 2


@dataclass(frozen=True)
class TableCoverage:
    """How many of the ``rows`` of the table ``name`` were read, over ``samples`` inputs."""

    name: str
    rows: int
    read: int
    samples: int


@dataclass(frozen=True)
class OneSided:
    """An activation, of the ONNX ``node`` and ``operator``, whose argument was never on one ``side`` of ``kink``."""

    node: str
    operator: str
    side: str
    kink: float


@dataclass(frozen=True)
class InputCoverage:
    """What ``samples`` of the inputs, spread evenly over them, reach.

    ``weights`` counts the elements of convolutions, matrix products, recurrent layers and tables; ``weights_reached``
    those that met a value other than zero, and whose product came through the activation behind it. Of ``channels``
    before an activation, ``dead`` are in its flat part below throughout, ``saturated`` in the one above, or where a
    sigmoid or tanh is flat. ``reason`` says why nothing is known.
    """

    samples: int
    weights: int
    weights_reached: int
    tables: List[TableCoverage]
    activations: int
    one_sided: List[OneSided]
    channels: int
    dead: int
    saturated: int
    reason: Optional[str] = None

    @property
    def line(self) -> str:
        """All of it in one line."""
        if self.reason is not None:
            return f"coverage of the inputs: not known: {self.reason}"
        said = []
        if self.weights:
            said.append(f"weights reached: {_share(self.weights_reached, self.weights)}")
        said.extend(f"{each.read:,} of {each.rows:,} rows of {each.name} read" for each in self.tables)
        if self.one_sided:
            named = "; ".join(describe(each) for each in self.one_sided[:MOST_SAID])
            count = len({each.node for each in self.one_sided})
            said.append(
                f"{count} of {self.activations} activations on one side of a kink throughout ({named}{self._more})"
            )
        if self.channels:
            said.append(f"of {self.channels:,} channels {self.dead:,} dead and {self.saturated:,} saturated throughout")
        return f"coverage of the inputs, on {self.samples} of them: {', '.join(said) or 'nothing to reach'}"

    @property
    def _more(self) -> str:
        left = len(self.one_sided) - MOST_SAID
        return f"; {left} more" if left > 0 else ""


def unknown(reason: str) -> InputCoverage:
    """Where nothing could be observed."""
    return InputCoverage(0, 0, 0, [], 0, [], 0, 0, 0, reason)


def describe(activation: OneSided) -> str:
    """An activation of which a part was never reached, in words."""
    if activation.operator == "Where":
        return f"{activation.node or activation.operator} never {'true' if activation.side == 'above' else 'false'}"
    return f"{activation.node or activation.operator} never {activation.side} {activation.kink:g}"


def _share(part: int, whole: int) -> str:
    # Rounded down: 100% is all of them.
    return f"{1000 * part // whole / 10:g}%"
