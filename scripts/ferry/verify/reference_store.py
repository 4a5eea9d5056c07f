"""PyTorch's outputs on the disk, so that a later check of the same model on the same inputs need not run it again.

A folder a key, a file a chunk of samples, and a key file that holds the SHA-256 of each chunk and of itself. A check
works in a folder of its own, into which it links what was kept, and which gets its key file and its name when all
chunks are in it: what an interrupted check leaves is never read, and no check can take another's files away from it.
"""

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from typing import Any, Dict, NamedTuple, Optional

from ferry.folder_lock import WorkFolder, remove_unlocked
from ferry.verify import chunk_file
from ferry.verify.chunk_file import Stored

# Raised when what is kept, or how it is computed, changes.
FORMAT = 3
# References larger than this are not kept: they pass through the disk, no more of them at a time than IN_FLIGHT.
KEPT_BYTES = 4 << 30
IN_FLIGHT_BYTES = 1 << 30
# Room that a check leaves free on the disk.
SPARE_BYTES = 1 << 30
WORK, SPARE = "partial.", "ferry-references."
KEY_FILE = "key.json"


class KeyFile(NamedTuple):
    """What ``key.json`` holds: the SHA-256 of each chunk by its file's name, and what was noted with them."""

    chunks: Dict[str, str]
    note: Dict[str, Any]


def key_of(parts: Dict[str, Any]) -> str:
    """A digest of everything that decides the reference's bytes."""
    return hashlib.sha256(json.dumps({"format": FORMAT, **parts}, sort_keys=True).encode()).hexdigest()


class ReferenceStore:
    """The references of ``key``: those that an earlier check kept in the folder ``kept``, and new ones in ``output``.

    ``unkept`` says why new ones are not kept, if they are not. ``altered`` is whether kept ones were found whose key
    file is not as it was written.
    """

    def __init__(self, kept: str, output: str, key: str):
        self._key, self._output = key, output
        self._kept = os.path.join(kept, key[:16])
        self._held: Optional[KeyFile] = None
        self._work: Optional[WorkFolder] = None
        self._spare: Optional[WorkFolder] = None
        self.unkept: Optional[str] = None
        self.altered = False

    def find(self) -> Optional[KeyFile]:
        """The key file of the references that were kept under this key; ``None`` where there are none to be trusted."""
        try:
            with open(os.path.join(self._kept, KEY_FILE), encoding="utf-8") as file:
                held = json.load(file)
        except OSError:
            return None
        except (ValueError, RecursionError):
            held = None
        if not isinstance(held, dict) or held.pop("sha256", None) != _digest(held) or held.get("key") != self._key:
            self.altered = True
            return None
        self._held = KeyFile(held["chunks"], held["note"])
        return self._held

    def forget(self) -> None:
        """What was kept is of no use."""
        self._held = None

    def stored(self, start: int) -> Optional[Stored]:
        """The kept chunk whose first sample is ``start``, as it should be."""
        name = chunk_file.name_of(start)
        if self._held is None or name not in self._held.chunks:
            return None
        return Stored(os.path.join(self._kept, name), self._held.chunks[name])

    def begin(self, size: int) -> None:
        """Make a folder for the chunks, of ``size`` bytes in all; where they cannot be kept, one that passes."""
        try:
            os.makedirs(self._output, exist_ok=True)
            self._work = WorkFolder(self._output, WORK)
            self.unkept = None if self._held is not None else self._no_room_for(size)
        except OSError as error:
            self.stop_keeping(error.strerror or str(error))

    @property
    def spared(self) -> bool:
        """Whether chunks go where temporary files do, since there was no room for them."""
        return self._spare is not None

    def stop_keeping(self, reason: str) -> None:
        """There is no room for more in the folder: let what is still to come pass through the system's temporary one.

        Raises:
            OSError: there is no such folder.
        """
        self.unkept = f"{reason}: {self._output}"
        if self._spare is None:
            self._spare = WorkFolder(tempfile.gettempdir(), SPARE)

    def path_of(self, start: int) -> str:
        """Where a chunk whose first sample is ``start`` is to be written."""
        folder = self._spare or self._work
        assert folder is not None, "begin() comes first"
        return os.path.join(folder.path, chunk_file.name_of(start))

    def commit(self, digests: Dict[str, str], note: Dict[str, Any]) -> None:
        """All chunks are written: let later checks find them, and let those of other keys go."""
        assert self._work is not None, "begin() comes first"
        held: Dict[str, Any] = {"key": self._key, "chunks": digests, "note": note}
        target = os.path.join(self._output, self._key[:16])
        try:
            with open(os.path.join(self._work.path, KEY_FILE), "w", encoding="utf-8") as file:
                json.dump({**held, "sha256": _digest(held)}, file, indent=2)
            remove_unlocked(target)
            os.rename(self._work.path, target)
        except OSError as error:
            self.unkept = f"{error.strerror or error}: {self._output}"
            return
        self._work.keep()
        self._work = None
        for name in os.listdir(self._output):
            if name != os.path.basename(target):
                remove_unlocked(os.path.join(self._output, name))

    def discard(self) -> None:
        """Remove what was begun and not committed."""
        for folder in (self._work, self._spare):
            if folder is not None:
                folder.remove()
        self._work = self._spare = None
        if self._output != os.path.dirname(self._kept):
            # Nothing was kept there: an empty folder would be taken for references that are none.
            with contextlib.suppress(OSError):
                os.rmdir(self._output)

    def _no_room_for(self, size: int) -> Optional[str]:
        if size > KEPT_BYTES:
            return f"they are larger than {KEPT_BYTES >> 30} GB"
        if size + SPARE_BYTES > shutil.disk_usage(self._output).free:
            return f"there is too little room left in {self._output}"
        return None


def _digest(held: Dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(held, sort_keys=True).encode()).hexdigest()
