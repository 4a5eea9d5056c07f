"""The references of one measurement, chunk by chunk: handed out to be computed, placed, read by the stages, dropped."""

import dataclasses
import os
from typing import Any, Dict, List, Optional, Tuple, Union

from ferry.errors import VerificationError
from ferry.verify.chunk_file import NoRoom, Placed, Stored
from ferry.verify.reference_store import IN_FLIGHT_BYTES, ReferenceStore
from ferry.verify.verdict import LatencyFigures, Percentiles

Ask = Tuple[Optional[Stored], str, int, int]


class ReferenceChunks:
    """The ``chunks``, each from a sample up to another, in the files of ``store``, of ``size`` bytes a sample.

    Where the store does not keep them, a chunk that all stages have read is removed, and no more than
    ``IN_FLIGHT_BYTES`` wait to be read; ``at_once`` of them may wait at any rate.
    """

    def __init__(self, store: ReferenceStore, chunks: List[Tuple[int, int]], size: int, at_once: int):
        self._store, self._chunks = store, chunks
        self._chunk_bytes, self._at_once = size * chunks[0][1], at_once
        self._placed: Dict[int, Placed] = {}
        self._asked: Dict[int, str] = {}
        self._next, self._dropped = 0, 0

    def __len__(self) -> int:
        return len(self._chunks)

    @property
    def left(self) -> bool:
        """Whether there are any that nobody was asked for."""
        return self._next < len(self)

    @property
    def whole(self) -> bool:
        """Whether all are in their places."""
        return len(self._placed) == len(self)

    @property
    def remade(self) -> int:
        """How many samples' kept references were altered."""
        if self._store.altered:
            return self._chunks[-1][1]
        return sum(self.samples_in(chunk) for chunk, placed in self._placed.items() if placed.altered)

    @property
    def completed(self) -> bool:
        """Whether any of the kept ones got more samples in float64."""
        return any(placed.completed for placed in self._placed.values())

    def samples_in(self, chunk: int) -> int:
        """How many samples ``chunk`` has."""
        start, stop = self._chunks[chunk]
        return stop - start

    def take_next(self) -> int:
        """The next chunk to be asked for."""
        self._next += 1
        return self._next - 1

    def to_compute(self, chunk: int) -> Ask:
        """What the reference is asked for it: the kept one, where to put it, its first sample and the one after it."""
        start, stop = self._chunks[chunk]
        self._asked[chunk] = self._store.path_of(start)
        return self._store.stored(start), self._asked[chunk], start, stop

    def to_compare(self, chunk: int) -> Tuple[Stored, int, int]:
        """What a stage is asked for it."""
        return (self._placed[chunk].stored, *self._chunks[chunk])

    def place(self, chunk: int, answer: Union[Placed, NoRoom]) -> bool:
        """Take the reference's answer; where there was no room for it, it is to be asked for again.

        Raises:
            VerificationError: there is no room anywhere.
        """
        if isinstance(answer, Placed):
            self._placed[chunk] = answer
            return True
        if self._asked[chunk] == self._store.path_of(self._chunks[chunk][0]):
            try:
                if self._store.spared:
                    raise OSError(answer.reason)
                self._store.stop_keeping(answer.reason)
            except OSError as error:
                reason = f"{answer.reason}: {os.path.dirname(self._asked[chunk])}"
                raise VerificationError(f"there is no room for PyTorch's outputs: {reason}") from error
        return False

    def ready(self, chunk: int) -> bool:
        """Whether ``chunk`` can be read."""
        return chunk in self._placed

    def has_room(self, slowest: Optional[int]) -> bool:
        """Whether another may be computed; ``slowest`` is the chunk that the slowest stage is on, if one is left."""
        if self._store.unkept is None:
            return True
        waiting = self._next - 1 - (self._next if slowest is None else slowest)
        return waiting < self._at_once or waiting * self._chunk_bytes < IN_FLIGHT_BYTES

    def drop(self, read: Optional[int]) -> None:
        """All stages that are left have read the chunks up to ``read``; ``None`` where none is left."""
        if self._store.unkept is None:
            return
        last = self._next - 1 if read is None else read
        for chunk in range(self._dropped, last + 1):
            placed = self._placed.get(chunk)
            if placed is not None and os.path.exists(placed.stored.path):
                os.unlink(placed.stored.path)
        self._dropped = max(self._dropped, last + 1)

    def keep(self, latencies: Dict[str, LatencyFigures], float64_samples: int) -> None:
        """Let the next check find them, with what the inferences took and how many were in float64 too."""
        digests = {os.path.basename(placed.stored.path): placed.stored.sha256 for placed in self._placed.values()}
        taken = {name: dataclasses.asdict(figures) for name, figures in latencies.items()}
        self._store.commit(digests, {"latencies": taken, "float64_samples": float64_samples})


def noted_latencies(note: Dict[str, Any]) -> Dict[str, LatencyFigures]:
    """The latencies that ``keep`` noted."""
    return {
        name: LatencyFigures(Percentiles(**held["milliseconds"]) if held["milliseconds"] else None, held["seconds"])
        for name, held in note["latencies"].items()
    }


def noted_float64_samples(note: Dict[str, Any]) -> int:
    """How many samples ``keep`` noted to be in float64 too."""
    return int(note["float64_samples"])
