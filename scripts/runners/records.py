"""What a stage's file was made from, as the runner notes it, and whether that is still so.

A stage says what it has read; that is a stranger's data, looked at before any of it is used. The record is written by
the runner alone, where no stage can write.
"""

import contextlib
import json
import os
import re
import stat
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Tuple

from runners import digests, venv
from runners.digests import Digest, Known
from runners.paths import ROOT
from runners.stages import Job, Stage

# Raised when what a record holds changes: all that was made before is then made anew.
FORMAT = 1
FOLDER = ".made"
MOST_BYTES = 1 << 23
MOST_PATHS = 20_000
SOURCE = re.compile(r"scripts(/[A-Za-z0-9_]+)+\.py")
SHA256 = re.compile(r"[0-9a-f]{64}")
DOCKERFILES = {"cpu": "Dockerfile.cpu", "gpu": "Dockerfile.gpu"}
# Of a file that was changed while a stage had it open nobody knows what the stage has read.
CHANGED = Digest("", [])


class Read(NamedTuple):
    """What a stage says that it has read: files of the user's with their digests, and Ferry's own sources."""

    files: Dict[str, Digest]
    sources: Tuple[str, ...]


def path_of(folder: str, target: str) -> Path:
    """The record of the file ``target`` in ``folder``, which is relative to the checkout."""
    return ROOT / folder / FOLDER / f"{target}.json"


def read_report(data: bytes) -> Optional[Read]:
    """What a stage has reported, or None where it is not what a stage writes."""
    try:
        held = json.loads(data.decode("utf-8"))
        files = {path: _digest(entry) for path, entry in held["files"].items()}
        sources = tuple(held["sources"])
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError):
        return None
    fits = len(files) <= MOST_PATHS and all("\0" not in path and len(path) <= 4096 for path in files)
    if not fits or not all(isinstance(each, str) and SOURCE.fullmatch(each) for each in sources):
        return None
    return Read({path: digest or CHANGED for path, digest in files.items()}, sources[:MOST_PATHS])


class Before:
    """How everything looked that a stage may read, before it began."""

    def __init__(self, stage: Stage, job: Job):
        self._sources = {path: digests.look(str(ROOT / path)) for path in _own_sources()}
        # Those that it is known to read are not taken on its word.
        self._declared = {path: digests.of_file(str(ROOT / path)) for path in declared(stage, job)}

    def record(self, stage: Stage, job: Job, read: Read, in_image: bool) -> Dict[str, Any]:
        """The record of what ``stage`` has made."""
        inputs = dict(read.files)
        for path, digest in self._declared.items():
            unchanged = digest is not None and digests.look(str(ROOT / path)) == digest.looks
            again = digest if unchanged else digests.of_file(str(ROOT / path))
            same = digest is not None and again is not None and again.sha256 == digest.sha256
            inputs[path] = again if same and again is not None else CHANGED
        own = {}
        for path in sorted({*read.sources, stage.program, *_frame(stage, job)}):
            now = digests.of_file(str(ROOT / path))
            changed = path in self._sources and (now is None or now.looks != self._sources[path])
            own[path] = CHANGED if changed or now is None else now
        return {
            "format": FORMAT,
            "options": _options(stage, job),
            "inputs": {path: digest._asdict() for path, digest in inputs.items()},
            "sources": {path: digest._asdict() for path, digest in own.items()},
            "dockerfile": _dockerfile(job.values["DEVICE"]),
            "in_image": in_image,
        }


def declared(stage: Stage, job: Job) -> List[str]:
    """The files that ``stage`` is known to read: the model's, its weights, and what an earlier stage made."""
    found = [model.source for model in job.models] if stage.reads_the_model else []
    if "WEIGHTS" in stage.variables and job.values["WEIGHTS"]:
        found.append(job.values["WEIGHTS"])
    if "REQUIREMENTS" in stage.variables and job.values["REQUIREMENTS"]:
        found.append(job.values["REQUIREMENTS"])
    return [*found, *(f"{job.reads_from}/{name}" for name in stage.reads)]


def write(folder: str, target: str, record: Dict[str, Any]) -> None:
    """Write the record, whole or not at all: where there is none the file counts as stale, and no harm is done."""
    path = path_of(folder, target)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    with contextlib.suppress(OSError):
        path.parent.mkdir(exist_ok=True)
        try:
            partial.write_text(json.dumps(record, sort_keys=True))
            partial.replace(path)
        finally:
            with contextlib.suppress(FileNotFoundError):
                partial.unlink()


def forget(folder: str, target: str) -> None:
    """Remove the record: from here on the file that it is of may be another one."""
    with contextlib.suppress(OSError):
        path_of(folder, target).unlink()


def load(folder: str, target: str) -> Optional[Dict[str, Any]]:
    """The record, or None where there is none, or none that a runner of this version wrote."""
    path = str(path_of(folder, target))
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode) or found.st_size > MOST_BYTES:
                return None
            held = json.loads(file.read().decode("utf-8"))
        return held if _is_whole(held) else None
    except (OSError, ValueError, RecursionError):
        return None


def is_stale(stage: Stage, job: Job, known: Known) -> bool:
    """Whether the file that ``stage`` makes is missing, or would be made from something else today."""
    folder = job.folder(stage)
    target = ROOT / folder / stage.target
    record = load(folder, stage.target)
    if record is None or not target.is_file() or record["options"] != _options(stage, job):
        return True
    if record["format"] != FORMAT or not set(_frame(stage, job)) <= set(record["sources"]):
        return True
    counts = job.values["RUNNER"] in ("docker", "podman") or (record["in_image"] and not job.values["RUNNER"])
    if counts and record["dockerfile"] != _dockerfile(job.values["DEVICE"]):
        return True
    same, looks_same = True, True
    for group in ("inputs", "sources"):
        for path, entry in record[group].items():
            then = Digest(entry["sha256"], entry["looks"])
            now = known.of(str(ROOT / path), then)
            same = same and now is not None and now.sha256 == then.sha256
            looks_same = looks_same and now == then
            if same and now is not None:
                record[group][path] = now._asdict()
    if same and not looks_same:
        # What was read to find that out need not be read the next time.
        write(folder, stage.target, record)
    return not same


def _is_whole(held: Any) -> bool:
    if not isinstance(held, dict) or held.get("format") != FORMAT:
        return False
    groups = [held.get("inputs"), held.get("sources")]
    if not all(isinstance(group, dict) for group in groups):
        return False
    if not all(isinstance(held.get(name), kind) for name, kind in (("options", dict), ("in_image", bool))):
        return False
    entries = [entry for group in groups for entry in group.values()]  # type: ignore[union-attr]
    try:
        return all(_digest(entry) or entry == CHANGED._asdict() for entry in entries)
    except (TypeError, KeyError):
        return False


def _digest(entry: Any) -> Optional[Digest]:
    """The digest that an entry of a report or record holds; None where it says that there is none."""
    sha256, looks = entry["sha256"], entry["looks"]
    if not isinstance(sha256, str) or not isinstance(looks, list) or not all(type(each) is int for each in looks):
        raise TypeError
    return Digest(sha256, looks) if SHA256.fullmatch(sha256) and len(looks) == 4 else None


def _options(stage: Stage, job: Job) -> Dict[str, str]:
    options = {name: job.values[name] for name in stage.variables}
    return {**options, "source": job.models[0].source} if stage.reads_the_model else options


def _frame(stage: Stage, job: Job) -> Tuple[str, ...]:
    """What ``stage`` depends on, whatever it says: the locks of its environments."""
    environments = [venv.BY_TENSORFLOW[job.values["TF"]]]
    environments += [venv.TORCH2] if "TORCH" in stage.variables and job.values["TORCH"] == "2" else []
    return tuple(str(each.lock.relative_to(venv.ROOT)) for each in environments)


def _dockerfile(device: str) -> str:
    digest = digests.of_file(str(ROOT / DOCKERFILES[device]))
    return digest.sha256 if digest else ""


def _own_sources() -> Iterable[str]:
    for folder, _, files in os.walk(str(ROOT / "scripts")):
        for file in files:
            if file.endswith(".py"):
                yield os.path.relpath(os.path.join(folder, file), str(ROOT))


Accepts = Callable[[str], bool]


def only(read: Read, accepts: Accepts) -> Read:
    """``read`` without the files that ``accepts`` refuses: a stage cannot have read what it was not shown."""
    return read._replace(files={path: digest for path, digest in read.files.items() if accepts(path)})
