"""The packages that the user's models import, as REQUIREMENTS names them: a file of pip's, read and looked at."""

import re
from typing import List, NamedTuple, Tuple

from runners.errors import RunnerError
from runners.paths import ROOT

# One more than anybody lists.
MOST_BYTES = 1 << 20
REQUIREMENT = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(\[[^\]]*\])?\s*([<>=!~(].*)?(;.*)?")
# Behind a package: what it asks for is left to the other lines. Many asked for a newer PyTorch than they need.
WITHOUT_DEPENDENCIES = re.compile(r"#\s*no-deps\s*$")
COMMENT = re.compile(r"(^|\s)#.*$")
HASH = re.compile(r"\s--hash[= ]\S+")


class Requirements(NamedTuple):
    """The requirements as uv is to read them, and the packages whose own requirements do not count."""

    text: str
    without_dependencies: Tuple[str, ...]


def read(path: str) -> Requirements:
    """Read the requirements file ``path``, which is relative to the checkout or absolute.

    Raises:
        RunnerError: it cannot be read, or a line is none that a package of an index is named by.
    """
    try:
        data = (ROOT / path).read_bytes()
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise RunnerError(f"cannot read REQUIREMENTS {path}: {error.strerror}") from error
    except ValueError as error:
        raise RunnerError(f"REQUIREMENTS {path} is no text in UTF-8") from error
    if len(data) > MOST_BYTES:
        raise RunnerError(f"REQUIREMENTS {path} is no list of packages: it has {len(data)} bytes")
    requirements: List[str] = []
    alone: List[str] = []
    for number, line in _lines(text):
        requirement = COMMENT.sub("", line).strip()
        if not requirement:
            continue
        found = REQUIREMENT.fullmatch(HASH.sub("", requirement).strip())
        if not found or "@" in requirement.partition(";")[0]:
            raise RunnerError(f"REQUIREMENTS {path}, line {number}: {_trouble(requirement)}")
        requirements.append(requirement)
        if WITHOUT_DEPENDENCIES.search(line):
            alone.append(canonical(found.group(1)))
    return Requirements("".join(f"{line}\n" for line in requirements), tuple(sorted(set(alone))))


def canonical(name: str) -> str:
    """A package's name as an index spells it, as PEP 503 has it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _lines(text: str) -> List[Tuple[int, str]]:
    """The lines with their numbers; one that ends in a backslash goes on in the next."""
    found: List[Tuple[int, str]] = []
    goes_on = False
    for number, line in enumerate(text.splitlines(), 1):
        if goes_on:
            begun, before = found.pop()
            found.append((begun, f"{before} {line.strip()}"))
        else:
            found.append((number, line))
        goes_on = line.endswith("\\")
        if goes_on:
            begun, whole = found.pop()
            found.append((begun, whole[:-1].rstrip()))
    return found


def _trouble(requirement: str) -> str:
    if requirement.startswith(("-r", "-c", "--requirement", "--constraint")):
        return f"{requirement!r} names another file; write its lines here"
    if requirement.startswith("-") and not requirement.startswith(("-e", "--editable")):
        return f"{requirement!r} is an option; only packages are read here, and PIP_INDEX_URL names the index"
    return (
        f"{requirement!r} is no package of an index, as in timm==0.4.12; what lies in a folder of yours goes beside "
        "the model file, which may import it there"
    )
