"""What a bisection found."""

from typing import NamedTuple, Optional, Tuple


class Node(NamedTuple):
    """An ONNX node, the PyTorch module it came from, and the line of the user's that made it, as ``file.py:12``.

    The module is ``""`` where it is the model itself or is not known, and so is a line that is not known.
    """

    name: str
    operator: str
    scope: str
    line: str = ""


class Finding(NamedTuple):
    """The first tensor at which a stage's model differs from what it was built from.

    ``step`` is one of the keys of ``describe.STEPS``. ``node`` makes the ONNX tensor ``tensor``; the piece at fault
    stands for ``also``, the nodes before it, too, and is called ``made_by`` in the stage's own model. ``error`` is what
    the piece alone adds; ``before`` and ``after`` are the errors of its inputs and output computed from the model's
    inputs; each is over the tensor's own scale. ``others`` counts by operator the further pieces at fault. Where no
    single piece could be named, ``node`` is ``None`` and ``notes`` says why.
    """

    stage: str
    step: str
    tensor: str = ""
    node: Optional[Node] = None
    also: Tuple[Node, ...] = ()
    made_by: str = ""
    error: float = 0.0
    before: float = 0.0
    after: float = 0.0
    others: Tuple[Tuple[str, int], ...] = ()
    notes: Tuple[str, ...] = ()
