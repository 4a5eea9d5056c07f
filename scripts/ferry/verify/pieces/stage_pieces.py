"""What came of a stage piece by piece, typed, for the verdict and the reports."""

from dataclasses import dataclass
from typing import Dict, List, Optional


@dataclass(frozen=True)
class WrongPiece:
    """A piece that computes something else than it should.

    ``tensor`` is made by the ONNX ``node`` of type ``operator``, of the PyTorch module ``scope``, which came from the
    user's ``line``; ``also`` names the nodes that became one piece with it. On ``probe`` it is off by ``share`` of its
    scale, ``excess`` times what float32 can be off by. ``reached`` says whether it is wrong on the input that was
    looked at too. JSON has no infinity:
    ``share`` and ``excess`` are ``None`` where they are infinite.
    """

    tensor: str
    node: str
    operator: str
    scope: str
    line: Optional[str]
    also: List[str]
    made_by: str
    probe: str
    share: Optional[float]
    excess: Optional[float]
    reached: bool


@dataclass(frozen=True)
class Roundest:
    """The piece that rounds most on the network's own values: ``share`` is its mean error over its scale."""

    tensor: str
    operator: str
    share: float


@dataclass(frozen=True)
class Choice:
    """A choice, such as a top-k, of the ONNX ``node`` that differs in ``differing`` of ``count`` elements.

    Its argument ``tensor`` is off by ``share`` of its scale in the mean, which is rounding.
    """

    node: str
    operator: str
    tensor: str
    differing: int
    count: int
    share: float


@dataclass(frozen=True)
class Undecided:
    """The ``choices`` that come out otherwise because of rounding.

    ``outputs`` holds, of each output that hangs on them, by what share of its scale it is off in the mean where
    float64 chooses as the stage did; ``None`` where that is not a number.
    """

    choices: List[Choice]
    outputs: Dict[str, Optional[float]]


@dataclass(frozen=True)
class StagePieces:
    """All pieces of one stage.

    Of ``count`` pieces, ``judged`` were held against their bound, ``loose`` of them against what a disturbance of their
    inputs does, since the bound says too little there. ``unjudged`` says why others could not be, ``reason`` why none
    could. ``resolution`` is the largest share of its scale that a piece held against its bound may be off by unseen.
    ``undecided`` are the choices that hang on rounding, looked for where the stage fails end to end, ``None``: none.
    """

    count: int
    judged: int
    loose: int
    unjudged: List[str]
    resolution: Optional[float]
    wrong: List[WrongPiece]
    roundest: Optional[Roundest]
    reason: Optional[str]
    undecided: Optional[Undecided] = None

    @property
    def right(self) -> bool:
        """Whether every piece was judged and none is wrong."""
        return self.reason is None and not self.wrong and self.judged == self.count and self.count > 0

    def lines(self, stage: str) -> List[str]:
        """What is to be said of it on a terminal, a line a wrong piece and one where pieces were not judged."""
        said = [f"{stage}: {fault(piece)}" for piece in self.wrong[:MOST_SAID]]
        if len(self.wrong) > MOST_SAID:
            said.append(f"{stage}: and {len(self.wrong) - MOST_SAID} more pieces")
        if self.reason is not None:
            said.append(f"{stage}: its pieces could not be held against float64: {self.reason}")
        elif self.judged < self.count:
            left = self.count - self.judged
            said.append(f"{stage}: {left} of {self.count} pieces could not be judged alone: {self.unjudged[0]}")
        return said


# Of many wrong pieces the first are named on the terminal; the report has all.
MOST_SAID = 3


def none(reason: str) -> StagePieces:
    """A stage of which no piece could be held against anything."""
    return StagePieces(0, 0, 0, [], None, [], None, reason)


def fault(piece: WrongPiece) -> str:
    """What is wrong with a piece, in a sentence."""
    where = f"{f' of {piece.scope}' if piece.scope else ''}{f' at {piece.line}' if piece.line else ''}"
    also = f", one piece with {', '.join(piece.also[:MOST_SAID])}," if piece.also else ""
    share = "without limit" if piece.share is None else f"by {piece.share:.1e} of its scale"
    reached = "the inputs given reach it" if piece.reached else "the inputs given do not reach it"
    return (
        f"{piece.node or piece.tensor} ({piece.operator}){where}{also} computes something else: it is off {share} on "
        f"{piece.probe}, beyond what float32 rounds by; {reached}"
    )
