"""Resolve the user's packages against Ferry's lock, no pin of which moves, and install what is not in it."""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Sequence

from runners import requirements_file
from runners.errors import RunnerError
from runners.requirements_file import Requirements

# What stands in the folder of a set of packages: the packages, and what the report says of them.
SITE, RECORD = "site", "packages.json"
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)
HASH = re.compile(r"--hash=(\S+)")
DEMAND = re.compile(r"(\S+) depends on (\S+)")
REQUIRED = re.compile(r"you require ([^\s,]+)")
FAILED_BUILD = re.compile(r"[Ff]ailed to (?:download and )?build `([^`]+)`")


class Tools(NamedTuple):
    """uv, the variables that it runs with, the interpreter that the packages are for, and the lock that holds."""

    uv: str
    variables: Dict[str, str]
    python: str
    lock: Path


def install(tools: Tools, path: str, requirements: Requirements, into: Path) -> None:
    """Put the packages of ``requirements`` that the lock lacks into ``into / SITE``, and their record beside.

    Args:
        tools: what it is done with.
        path: the name of the requirements file, for messages and the record.
        requirements: what it holds.
        into: a folder that is there, and is nobody else's.

    Raises:
        RunnerError: they do not fit the lock, or one of them cannot be had; the message names it.
    """
    with tempfile.TemporaryDirectory(prefix="ferry-") as folder:
        work = _Work(tools, path, requirements, folder)
        locked = work.resolve()
        record = _record(locked)
        from_source = work.without_a_wheel(locked, record)
        for package in record:
            package["built_from_source"] = package["name"] in from_source
        if from_source:
            built = ", ".join(f"{each['name']} {each['version']}" for each in record if each["built_from_source"])
            _say(f"there is no wheel of {built}: built from source in an environment of its own, its setup.py is run")
        (into / SITE).mkdir()
        if record:
            work.fill(locked, into / SITE)
    (into / RECORD).write_text(json.dumps(record, indent=2, sort_keys=True) + "\n")


class _Work:
    def __init__(self, tools: Tools, path: str, requirements: Requirements, folder: str):
        self._tools, self._path = tools, path
        self._folder = Path(folder)
        self._pins = {requirements_file.canonical(name): version for name, version in _pins(tools.lock.read_text())}
        self._given = self._file("requirements.in", requirements.text)
        # What the lock's packages ask for the lock has seen to; what asks for nothing is said so too.
        stated = [f'name = "{name}"\nversion = "{version}"' for name, version in sorted(self._pins.items())]
        stated += [f'name = "{name}"' for name in requirements.without_dependencies]
        settings = "".join(f"[[dependency-metadata]]\n{each}\nrequires-dist = []\n" for each in stated)
        self._variables = {**tools.variables, "UV_CONFIG_FILE": self._file("uv.toml", settings)}
        self._variables.pop("UV_NO_CONFIG", None)

    def resolve(self) -> str:
        """The lines of a lock, hashes included, of all that is not in Ferry's own."""
        constraints = self._file("constraints.txt", "".join(f"{name}=={self._pins[name]}\n" for name in self._pins))
        held = [word for name in sorted(self._pins) for word in ("--no-emit-package", name)]
        options = ["--constraints", constraints, *held, "--generate-hashes", "--no-header", "--no-annotate"]
        return self._uv(["compile", *options, "--no-emit-index-url", *self._building(), self._given]).stdout

    def without_a_wheel(self, locked: str, record: Sequence[Dict[str, Any]]) -> List[str]:
        """The names of the packages that the index has no wheel of for this Python."""
        binary = ["compile", "--no-deps", "--only-binary", ":all:", "--python", self._tools.python]
        if self._run([*binary, self._file("all.txt", locked)]).returncode == 0:
            return []
        pins = [(each["name"], f"{each['name']}=={each['version']}\n") for each in record]
        return [name for name, pin in pins if self._run([*binary, self._file("one.txt", pin)]).returncode]

    def fill(self, locked: str, site: Path) -> None:
        """Install the packages of the lock ``locked`` into the folder ``site``."""
        options = ["--target", str(site), "--require-hashes", "--no-deps", "--compile-bytecode", *self._building()]
        self._uv(["install", *options, "-r", self._file("packages.lock", locked)])

    def _building(self) -> List[str]:
        return ["--python", self._tools.python, "--build-constraints", str(self._tools.lock)]

    def _file(self, name: str, text: str) -> str:
        path = self._folder / name
        path.write_text(text)
        return str(path)

    def _run(self, arguments: List[str]) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [self._tools.uv, "pip", *arguments, "--quiet"],
            env=self._variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )

    def _uv(self, arguments: List[str]) -> "subprocess.CompletedProcess[str]":
        done = self._run(arguments)
        if done.returncode:
            raise RunnerError(f"REQUIREMENTS {self._path}: {explain(done.stderr, self._pins, self._tools.lock.name)}")
        return done


def explain(said: str, pins: Dict[str, str], lock: str) -> str:
    """uv's complaint in one sentence.

    Args:
        said: what uv wrote to its error stream.
        pins: the version of each package of Ferry's lock.
        lock: the lock's name.
    """
    text = " ".join(said.replace("cause:", " ").split())
    build = FAILED_BUILD.search(text)
    if build:
        last = said.strip().splitlines()[-1].strip()
        return f"{build.group(1)} has no wheel for this Python, and its source does not build by itself: {last}"
    for who, what in DEMAND.findall(text):
        pinned = requirements_file.canonical(re.split(r"[<>=!~]", what)[0])
        if pinned in pins and what != f"{pinned}=={pins[pinned]}":
            return (
                f"{who} needs {what}, and {lock} has {pinned}=={pins[pinned]}, which stays; ask for an older one, or "
                "write `# no-deps` behind it, where it works all the same, and what else it needs on lines of their own"
            )
    for what in REQUIRED.findall(text):
        pinned = requirements_file.canonical(re.split(r"[<>=!~]", what)[0])
        if pinned in pins:
            return f"it asks for {what}, and {lock} has {pinned}=={pins[pinned]}, which stays; leave that line out"
    reason = text.partition("Because ")[2] or text.replace("error: ", "")
    return reason.replace("we can conclude that your requirements are unsatisfiable", "nothing fits").rstrip(".")


def _pins(text: str) -> List[Any]:
    return PIN.findall(text)


def _record(locked: str) -> List[Dict[str, Any]]:
    found: List[Dict[str, Any]] = []
    for line in locked.splitlines():
        pin = PIN.match(line)
        if pin:
            found.append({"name": pin.group(1), "version": pin.group(2), "hashes": []})
        if found:
            found[-1]["hashes"] += HASH.findall(line)
    return found


def _say(text: str) -> None:
    print(f"ferry: {text}", file=sys.stderr, flush=True)
