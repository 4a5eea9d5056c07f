"""What a stage in a container or a sandbox is shown of this machine: what the table says that it reads, and no more."""

import glob
import os
import sys
from typing import List

from runners import stages
from runners.errors import RunnerError
from runners.paths import ROOT
from runners.stages import Job, Stage

# Folders of anybody's files, and what an image has of its own: none of these is shown whole.
ANYBODYS = (os.environ.get("TMPDIR") or "/tmp", "/tmp", "/var/tmp")
OF_THE_IMAGE = ("bin", "dev", "etc", "ferry", "lib", "lib64", "opt/ferry", "proc", "run", "sbin", "sys", "usr", "var")


def from_the_root(path: str) -> str:
    """The path of a file that the user names, as a stage is given it: relative to the checkout where it lies below."""
    path = os.path.normpath(os.path.expanduser(path) if path.startswith("~/") else path)
    absolute = os.path.normpath(str(ROOT / path))
    return os.path.relpath(absolute, str(ROOT)) if absolute.startswith(str(ROOT) + os.sep) else absolute


def paths(stage: Stage, job: Job) -> List[str]:
    """The files and folders that ``stage`` reads, relative to the checkout where they lie below, else absolute.

    These are folders where what the user gave may have more beside it that belongs to it, but for a folder that holds
    much else: of that the file alone is shown, and a line says so.

    Raises:
        RunnerError: a file is a link to one that would not be seen.
    """
    found: List[str] = []
    for option in stage.options:
        for path in _named_by(option, job):
            folder = os.path.dirname(path)
            alone = option.shown == stages.ALONE or _is_shared(folder)
            if alone and option.shown != stages.ALONE:
                print(f"ferry: of its folder, which holds much else, the stage sees {path} alone", file=sys.stderr)
            if not alone:
                _refuse_a_link_that_leads_out(path, folder)
            found.append(path if alone else folder)
    below = glob.escape(str(ROOT / job.reads_from))
    for pattern in stage.reads:
        found += [os.path.relpath(path, str(ROOT)) for path in sorted(glob.glob(f"{below}/{pattern}"))]
    return list(dict.fromkeys(found))


def holds(shown: List[str], path: str) -> bool:
    """Whether ``path`` is one of the files and folders that are ``shown``, or lies in one."""
    return any(path == each or path.startswith(each + os.sep) for each in shown)


def _named_by(option: stages.Option, job: Job) -> List[str]:
    """The files and folders that the value of ``option`` names. What is no file may be a distribution instead."""
    if option.kind == stages.SOURCE:
        return [model.source for model in job.models]
    value = job.values[option.what] if option.shown else ""
    return [value] if value and os.path.lexists(str(ROOT / value)) else []


def _is_shared(folder: str) -> bool:
    """Whether a folder holds more than a model: the checkout, the caller's home, anybody's files, a system."""
    if os.path.isabs(folder) and any((folder + os.sep).startswith(f"/{name}/") for name in OF_THE_IMAGE):
        return True
    real = os.path.realpath(str(ROOT / folder))
    homes = [os.path.realpath(str(path)) for path in (ROOT, os.path.expanduser("~"), *ANYBODYS)]
    return any(home == real or home.startswith(real.rstrip(os.sep) + os.sep) for home in homes)


def _refuse_a_link_that_leads_out(path: str, folder: str) -> None:
    real = os.path.realpath(str(ROOT / path))
    if not real.startswith(os.path.realpath(str(ROOT / folder)).rstrip(os.sep) + os.sep):
        raise RunnerError(
            f"{path} is a link to {real}, which lies in another folder than the one that is shown to the stage: give "
            "the path of the file itself"
        )
