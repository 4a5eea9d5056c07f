"""Which models the user means: the words of ``MODEL`` and ``ONNX``, and the names that goals of make hold."""

import os
import re
import unicodedata
from typing import Dict, List, Mapping, Sequence, Tuple

from runners import stages
from runners.errors import RunnerError
from runners.paths import ROOT
from runners.stages import Model

ENDINGS = (".py", ".pt", ".pt2", ".onnx")
# In a name, beside the letters and digits of any script: nothing that make or a shell reads as its own.
ALLOWED = "_-+."
# What the models of a zoo import.
SHARED = ("calibrated.py", "seeded.py", "layers.py")
WITH_A_SPACE = "; a path with a space in it is read as two, unless there is a file of that name"


def given(values: Mapping[str, str], named: Sequence[str]) -> Tuple[Model, ...]:
    """The models that ``MODEL`` or ``ONNX`` names; ``named`` holds the variables that the user gave.

    A word is a file anywhere, or the name of one in ``models/``.

    Raises:
        RunnerError: there is no such file, its name is none for a model, or two of them have the same.
    """
    onnx = values["ONNX"].strip()
    if onnx and "MODEL" in named:
        raise RunnerError("both MODEL and ONNX are given, and each names the model")
    text = onnx or values["MODEL"].strip()
    if not text:
        raise RunnerError(f"MODEL is empty; {_there()}")
    sources = sorted(set(_sources(text)))
    if onnx and any(not source.endswith(".onnx") for source in sources):
        raise RunnerError(f"ONNX {onnx!r} is not the name of an .onnx file")
    for source in sources:
        if not os.path.isfile(str(ROOT / source)):
            hint = WITH_A_SPACE if len(sources) > 1 else ""
            raise RunnerError(f"there is no model file {_shown(source)}; {_there()}{hint}")
    models = tuple(Model(name_of(source), source) for source in sources)
    _refuse_namesakes(models)
    _refuse_what_is_for_one(models, values)
    return models


def zoo(folder: str) -> Tuple[Model, ...]:
    """Every model of the zoo ``models/FOLDER/``."""
    found = sorted(os.listdir(str(ROOT / "models" / folder)))
    files = [name for name in found if name.endswith(".py") and name not in SHARED]
    return tuple(Model(name_of(file), f"models/{folder}/{file}") for file in files)


def name_of(source: str) -> str:
    """The name of the model that comes from the file ``source``: the file's without its ending.

    Raises:
        RunnerError: it cannot be a name; the message says which letter of it or what else is in the way.
    """
    return checked(os.path.splitext(os.path.basename(source))[0], f"{_shown(source)}: give the file another name")


def checked(name: str, of: str) -> str:
    """``name`` itself, where a model can have it; ``of`` says in a message whose name it is.

    Raises:
        RunnerError: none can.
    """
    for letter in name:
        if letter not in ALLOWED and unicodedata.category(letter)[0] not in "LMN":
            raise RunnerError(
                f"a model's name cannot have {letter!r} in it, but letters, digits and {ALLOWED} only, and it is that "
                f"of {of} (its folder may be named anything)"
            )
    if not name or name[0] in ".-+":
        raise RunnerError(f"a model's name begins with a letter, a digit or _, and it is that of {of}")
    if name in stages.TAKEN:
        raise RunnerError(
            f"build/{name}/ is taken by GRAPH=article, LAYOUT=nhwc, TF=2.2 or TORCH=2, or by make zoo, zoo2020, bench "
            f"or matrix; a model's folder has the name of {of}"
        )
    return name


def _sources(text: str) -> List[str]:
    """The files that ``text`` names: as many of its words at once as there is a file for."""
    words = [(match.start(), match.end()) for match in re.finditer(r"\S+", text)]
    sources, at = [], 0
    while at < len(words):
        start = words[at][0]
        ends = [end for end in range(len(words), at, -1) if os.path.isfile(_path(text[start : words[end - 1][1]]))]
        end = ends[0] if ends else at + 1
        sources.append(_source(text[start : words[end - 1][1]]))
        at = end
    return sources


def _source(word: str) -> str:
    if word.startswith("~/"):
        word = os.path.expanduser(word)
    return word if word.endswith(ENDINGS) else f"models/{word}.py"


def _path(word: str) -> str:
    return str(ROOT / _source(word))


def _there() -> str:
    found = sorted(name[:-3] for name in os.listdir(str(ROOT / "models")) if name.endswith(".py"))
    return f"models/ holds {' '.join(found)}"


def _shown(source: str) -> str:
    return source if source.isprintable() else repr(source)


def _refuse_namesakes(models: Tuple[Model, ...]) -> None:
    by_name: Dict[str, str] = {}
    for model in models:
        other = by_name.setdefault(model.name, model.source)
        if other != model.source:
            raise RunnerError(
                f"two of the models are named {model.name}: {other} {model.source}; each file's name must be its own"
            )


def _refuse_what_is_for_one(models: Tuple[Model, ...], values: Mapping[str, str]) -> None:
    sources = " ".join(model.source for model in models)
    if values["WEIGHTS"]:
        if len(models) > 1 or not models[0].source.endswith(".py"):
            raise RunnerError(f"WEIGHTS are for one model, a .py file; MODEL is {sources}")
        if not os.path.isfile(str(ROOT / os.path.expanduser(values["WEIGHTS"]))):
            raise RunnerError(f"there is no WEIGHTS file {_shown(values['WEIGHTS'])}")
    if values["INPUT_SHAPE"].strip() and (len(models) > 1 or models[0].source.endswith((".py", ".pt2"))):
        raise RunnerError("INPUT_SHAPE is for one model, a .pt or .onnx file; others have example inputs of their own")
