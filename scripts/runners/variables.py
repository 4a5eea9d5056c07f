"""The variables that a user sets: what each is for, what it is unset, and what it may be.

They come from make's arguments. Only those that describe the machine are taken from the environment too: a ``NAME`` or
an ``INPUTS`` that stands there is most likely some other program's.
"""

import os
import re
from typing import Dict, Iterable, Mapping, NamedTuple, Optional, Tuple

from runners.errors import RunnerError
from runners.paths import ROOT

# What make says of the variables that it was given as arguments.
GIVEN = "FERRY_GIVEN"
COUNT = re.compile(r"[1-9][0-9]{0,11}")
A_PATH = r"(?s).*/.*"


class Variable(NamedTuple):
    """A variable's name, its default, what ``make help`` says of it, and what values it takes.

    ``choices`` is empty where any text will do; ``is_count`` says that it is a whole number of 1 or more; what fits
    ``also`` is taken beside the choices.
    """

    name: str
    default: str
    meaning: str
    choices: Tuple[str, ...] = ()
    is_count: bool = False
    from_environment: bool = False
    also: str = ""


TABLE = (
    Variable(
        "MODEL",
        "mobilenet_v2",
        "which file of models/, or a path to a .py, .pt, .pt2 or .onnx file anywhere; several, with -j, are "
        "converted side by side",
    ),
    Variable("WEIGHTS", "", "a checkpoint to load into the model: a state dict, or a file that holds one"),
    Variable(
        "INPUT_SHAPE", "", "the inputs' shapes, as in 1,3,224,224, of a .pt, or of an .onnx where they are not static"
    ),
    Variable("REQUIREMENTS", "", "a file of pip's: packages that the model file imports and Ferry's lock lacks"),
    Variable("ONNX", "", "the same as MODEL= for an .onnx file"),
    Variable(
        "TFLITE", "", "a .tflite that any converter made of MODEL, for `verify` to judge, into build/given/MODEL/"
    ),
    Variable("FUZZ", "10000", "how many files `fuzz` tries", is_count=True),
    Variable("NAME", "", "what `new` writes a model file for"),
    Variable("SAMPLES", "1000", "how many inputs `verify` compares, at most", is_count=True),
    Variable(
        "INPUTS",
        "",
        "an .npz, an .npy, a folder of images, uniform:0:1, normal:0:1; unset, the model's or N(0, 1)",
    ),
    Variable(
        "TOLERANCE",
        "",
        "the mean error that `verify` allows, over the outputs' scale; unset, twice PyTorch's own rounding",
    ),
    Variable(
        "QUANT",
        "",
        "float16, dynamic or int8: make, check or print that file too, beside the float model",
        ("float16", "dynamic", "int8", ""),
    ),
    Variable(
        "ACCURACY_DROP",
        "",
        "what a quantized model's decisions may lose, as in 1%; unset, they are counted alone",
    ),
    Variable(
        "SKIP",
        "",
        "the operators that QUANT leaves in float: patterns of kinds or of tensors, as in SOFTMAX,decoder*",
    ),
    Variable(
        "CALIBRATION",
        "",
        "the real inputs that QUANT=int8 measures ranges on: an .npz, an .npy, a folder of images, "
        "photographs; unset, the model's",
    ),
    Variable(
        "IO",
        "",
        "with QUANT=int8 what the file's inputs and outputs are: float32, which they are unset, or int8 where they are "
        "floats; with TFLITE= their layouts where `verify` cannot find them out, as in 0:nhwc",
        ("", "float32", "int8"),
        also=r"\s*\d+:\S+(\s+\d+:\S+)*\s*",
    ),
    Variable("ROUNDS", "48", "how often `bench` runs each model in each runtime", is_count=True),
    Variable("NEWEST", "", "the folder of a newer onnx's tests, for `coverage-newest`"),
    Variable("PYTEST", "", "options for `test`, as in -k name"),
    Variable("TF", "2.4", "which TensorFlow: 2.4, or 2.2, whose files go to build/tf2.2/MODEL/", ("2.4", "2.2")),
    Variable(
        "TORCH",
        "1.5",
        "which PyTorch the model is for: 1.5; 2, today's, whose files go to build/torch2/MODEL/; or the path of the "
        "Python in which it runs already. The last two are for RUNNER=venv",
        ("1.5", "2"),
        also=A_PATH,
    ),
    Variable(
        "GRAPH",
        "ferry",
        "article: the graph as onnx-tf alone makes it, in build/article/, to compare with",
        ("ferry", "article"),
    ),
    Variable(
        "LAYOUT",
        "nchw",
        "nhwc: images go into and come out of model.pb and model.tflite with the channels last",
        ("nchw", "nhwc"),
    ),
    Variable(
        "TARGET",
        "",
        "edgetpu, micro, gpu, nnapi, coreml, xnnpack, or tflite-2.1 and the like: make a file that runs there as a "
        "whole, by the tables of docs/targets/, or none",
        ("", "edgetpu", "micro", "gpu", "nnapi", "coreml", "xnnpack", "tflite-2.1"),
        also=r"tflite-[12]\.[0-9]{1,2}",
    ),
    Variable(
        "RECURRENT",
        "",
        "unrolled: recurrent layers step by step; fused: an LSTM as one operator; unset, by the number of steps",
        ("unrolled", "fused", ""),
    ),
    Variable(
        "DEVICE",
        "cpu",
        "what `verify` runs TensorFlow on; gpu: an NVIDIA GPU, in the image of Dockerfile.gpu",
        ("cpu", "gpu"),
        from_environment=True,
    ),
    Variable(
        "RUNNER",
        "",
        "docker, podman or venv; unset, what this machine has",
        ("docker", "podman", "venv", ""),
        from_environment=True,
    ),
    Variable(
        "MEMORY",
        "",
        "what a container may use, as in 8g; unset, three quarters of the machine's",
        from_environment=True,
    ),
    Variable(
        "BASE_IMAGE",
        "",
        "build the images on this one: a mirror's copy of the Dockerfile's base",
        from_environment=True,
    ),
    Variable(
        "TIMEOUT",
        "",
        "how long a stage may take, as in 90s, 15m or 2h; unset, as long as it likes",
        from_environment=True,
    ),
    Variable(
        "SANDBOX",
        "",
        "bwrap or none: what is around a stage with RUNNER=venv; unset, bubblewrap where it works",
        ("bwrap", "none", ""),
        from_environment=True,
    ),
    Variable("VERBOSE", "", "1: show the libraries' own output, and each command", from_environment=True),
)
BY_NAME = {variable.name: variable for variable in TABLE}


def read(environment: Optional[Mapping[str, str]] = None) -> Dict[str, str]:
    """The value of each variable: what make was given, else the environment's where it counts, else the default.

    The environment is this process's own unless another is given.
    """
    found = os.environ if environment is None else environment
    named = given(found)
    values = {}
    for variable in TABLE:
        counts = variable.name in named or variable.from_environment
        values[variable.name] = found.get(variable.name, variable.default) if counts else variable.default
    if "TF" not in named:
        # An image holds one TensorFlow, and says which.
        values["TF"] = found.get("FERRY_TF") or values["TF"]
    return values


def given(environment: Optional[Mapping[str, str]] = None) -> Tuple[str, ...]:
    """The names of the variables that make was given as arguments."""
    found = os.environ if environment is None else environment
    return tuple(found.get(GIVEN, "").split())


def check(values: Mapping[str, str], names: Iterable[str]) -> None:
    """Look at the variables ``names`` alone.

    Raises:
        RunnerError: one of them is none of the values that it takes, or two of them exclude each other.
    """
    names = tuple(names)
    for name in names:
        variable, value = BY_NAME[name], values[name]
        if variable.is_count and not COUNT.fullmatch(value):
            raise RunnerError(f"{name} must be a whole number of 1 or more, not {value!r}")
        if variable.choices and value not in _choices(variable) and not re.fullmatch(variable.also or r"(?!)", value):
            raise RunnerError(f"there is no {name} {value!r}; it is one of {', '.join(filter(None, variable.choices))}")
    holds = os.environ.get("FERRY_TF", "")
    if "TF" in names and holds and values["TF"] != holds:
        raise RunnerError(f"this image holds TensorFlow {holds}; TF={values['TF']} has an image of its own")
    if {"TF", "DEVICE"} <= set(names) and (values["TF"], values["DEVICE"]) == ("2.2", "gpu"):
        raise RunnerError(
            "TF=2.2 runs on the CPU only: on a GPU it needs CUDA 10.1, of which no trustworthy image or wheel is left"
        )
    if {"TF", "QUANT"} <= set(names) and values["TF"] == "2.2" and values["QUANT"]:
        raise RunnerError("QUANT= quantizes with TensorFlow 2.4: the tools for that are not in TF=2.2's package")
    if "RECURRENT" in names and values["RECURRENT"] == "fused" and values["TF"] == "2.2":
        raise RunnerError("TF=2.2 unrolls recurrent layers: its converter fuses none; RECURRENT=fused is for TF=2.4")
    if {"GRAPH", "RECURRENT"} <= set(names) and values["GRAPH"] == "article" and values["RECURRENT"]:
        raise RunnerError(
            "GRAPH=article has recurrent layers as onnx-tf makes them: RECURRENT is for Ferry's own graph"
        )
    if {"QUANT", "IO"} <= set(names) and values["IO"] == "int8" and values["QUANT"] in ("float16", "dynamic"):
        raise RunnerError(f"IO=int8 is for QUANT=int8: QUANT={values['QUANT']} has its inputs and outputs in float32")
    if {"QUANT", "TARGET"} <= set(names) and values["TARGET"] == "edgetpu" and values["QUANT"] != "int8":
        raise RunnerError("TARGET=edgetpu takes int8 alone: QUANT=int8 makes that file")
    if {"QUANT", "IO"} <= set(names) and ":" in values["IO"]:
        raise RunnerError(
            f"IO={values['IO']} says layouts of a file that TFLITE= names; of QUANT=int8 IO is float32 or int8"
        )
    if "TORCH" in names:
        _check_torch(values, names)
    if {"GRAPH", "LAYOUT"} <= set(names) and (values["GRAPH"], values["LAYOUT"]) == ("article", "nhwc"):
        raise RunnerError(
            "GRAPH=article has its inputs and outputs as PyTorch has them: LAYOUT=nhwc is for Ferry's own graph"
        )


def is_path(value: str) -> bool:
    """Whether the value of a variable that takes choices or a path is the latter."""
    return "/" in value


def _check_program(name: str, value: str) -> None:
    path = ROOT / os.path.expanduser(value)
    if not path.is_file() or not os.access(str(path), os.X_OK):
        raise RunnerError(
            f"{name}={value} is no program that can be run: give the path of a Python, as in env/bin/python"
        )


def _check_torch(values: Mapping[str, str], names: Iterable[str]) -> None:
    torch = values["TORCH"]
    if is_path(torch):
        _check_program("TORCH", torch)
    if torch != "1.5" and "REQUIREMENTS" in names and values["REQUIREMENTS"]:
        raise RunnerError(
            "REQUIREMENTS adds packages to PyTorch 1.5.1's environment; an environment of yours that has them and "
            "today's PyTorch is TORCH=path/to/python"
        )
    if torch != "1.5" and "RUNNER" in names and values["RUNNER"] not in ("", "venv"):
        raise RunnerError(f"TORCH={torch} is for RUNNER=venv: the images hold PyTorch 1.5.1")
    if torch != "1.5" and "DEVICE" in names and values["DEVICE"] == "gpu":
        raise RunnerError("DEVICE=gpu is for TORCH=1.5: the image for GPUs has no other PyTorch")
    if torch != "1.5" and "FERRY_IMAGE" in os.environ:
        raise RunnerError(f"this image holds PyTorch 1.5.1; TORCH={torch} needs a checkout of Ferry")


def _choices(variable: Variable) -> Tuple[str, ...]:
    if variable.name != "RUNNER":
        return variable.choices
    return (*variable.choices, "image") if "FERRY_IMAGE" in os.environ else variable.choices
