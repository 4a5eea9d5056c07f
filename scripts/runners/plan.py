"""What make has to do: its goals and the user's variables in, words that make can read safely out.

make calls this once, as it reads its Makefile. Every word is of letters that mean nothing to it: the names of models,
and of the files that are to be made anew. The first is ``error:``, with the rest of the line as the message, or
``plan``, which is followed by words such as ``build=build/nhwc``, ``export=NAME``, ``import=NAME``, ``stale=FILE``.
"""

import itertools
import os
import re
import sys
from typing import Dict, List, NamedTuple, Sequence, Tuple

from ferry.printable import printable
from runners import model_names, photographs, records, requirements_file, seen, stages, variables
from runners.digests import Known
from runners.errors import RunnerError
from runners.paths import ROOT
from runners.stages import Job, Model, Stage

# What the goals of make ask of the stages, and which of the variables they take.
VERBS = {
    "onnx": ("export_onnx",),
    "tf": ("export_onnx", "onnx_to_tf"),
    "tflite": ("export_onnx", "onnx_to_tf", "tf_to_tflite"),
    "verify": ("export_onnx", "onnx_to_tf", "tf_to_tflite", "verify"),
    "bisect": ("export_onnx", "onnx_to_tf", "tf_to_tflite", "bisect_model"),
    "inspect": ("export_onnx", "onnx_to_tf", "tf_to_tflite", "inspect_tflite"),
    "targets": ("export_onnx", "onnx_to_tf", "tf_to_tflite", "targets"),
    "zoo": ("export_onnx", "onnx_to_tf", "tf_to_tflite", "verify"),
    "matrix": ("verify",),
    "bench": ("bench",),
}
# Whatever a stage takes: where it runs, and what decides its folder.
ALWAYS = ("RUNNER", "TF", "TORCH", "DEVICE", "GRAPH", "LAYOUT", "QUANT")
VERB_OF = {"model.onnx": "onnx", "model.pb": "tf", "model.tflite": "tflite"}
# The goals that QUANT adds a file to.
QUANTIZED = {"tflite", "verify", "inspect", "targets", "zoo"}
# The variables that have other defaults for a zoo.
OF_A_ZOO = {
    "zoo": {"SAMPLES": "20"},
    "zoo2020": {"SAMPLES": "3", "REQUIREMENTS": "models/zoo2020/requirements.txt"},
    "zoo_today": {"SAMPLES": "3", "TORCH": "2"},
}
# TF 2.4's kernels for int8 take 30 times as long as those for floats.
QUANTIZED_SAMPLES = "100"
OF_A_FILE = re.compile(r"(build(?:/[^/]+)*)/([^/]+)/([^/]+)")
OF_A_VERB = re.compile(r"(verify|bisect|inspect|targets)/(.+)")


def main(goals: Sequence[str]) -> int:
    """Print what make is told about ``goals``, on one line; the exit code is 0 whatever it is told."""
    try:
        told = " ".join(words(goals))
    except RunnerError as error:
        told = f"error: {printable(str(error))}"
    sys.stdout.buffer.write(os.fsencode(told + "\n"))
    return 0


class Asked(NamedTuple):
    """What the goals ask for: ``verbs`` to be checked for, and models by their names.

    ``of_variables`` says that some verb is meant for the models that ``MODEL`` or ``ONNX`` names. ``quants`` are the
    quantized files that are wanted.
    """

    verbs: Tuple[str, ...]
    names: Tuple[str, ...]
    of_variables: bool
    quants: Tuple[str, ...]


def words(goals: Sequence[str]) -> List[str]:
    """What make is told about ``goals``.

    Raises:
        RunnerError: something that the user gave is wrong.
    """
    values = variables.read()
    asked = _asked(goals, values)
    _check(asked, values)
    zoo = "zoo" if "zoo" in asked.verbs else ""
    made = ["plan", f"build={stages.folder_of(values, zoo)}", *(f"quant={quant}" for quant in asked.quants)]
    made.append(f"verifier={_verifier(asked.verbs, values)}")
    known = Known()
    for job in jobs(asked.names, asked.of_variables, zoo):
        model = job.models[0]
        if values["TFLITE"]:
            made.append(f"given={model.name}")
            continue
        made.append(("import" if model.source.endswith(".onnx") else "export") + f"={model.name}")
        if set(asked.verbs) - {"matrix", "bench"}:
            made += [f"stale={job.folder(stage)}/{stage.target}" for stage in _stale(job, asked.quants, known)]
    return made


def _verifier(verbs: Sequence[str], values: Dict[str, str]) -> str:
    """The stage that verifies: with QUANT= it proves the quantized file; the zoo's table is of float files."""
    return "verify_quantized" if values["QUANT"] and not set(OF_A_ZOO) & set(verbs) else "verify"


def _stale(job: Job, quants: Sequence[str], known: Known) -> List[Stage]:
    """The stages whose files are to be made. One that is made from a stale file is looked at again after that."""
    made = []
    stale = False
    for stage in stages.conversion(job.models[0].source):
        stale = stale or records.is_stale(stage, job, known)
        made += [stage] if stale else []
    return made + [stage for stage in map(stages.quantization, quants) if stale or records.is_stale(stage, job, known)]


def jobs(names: Sequence[str], of_variables: bool, zoo: str = "") -> List[Job]:
    """A job for each model: those that the variables name, if ``of_variables`` or they are given, and ``names``.

    Raises:
        RunnerError: one of them is not to be found.
    """
    values, named = variables.read(), variables.given()
    build = stages.folder_of(values, zoo)
    if zoo:
        for name, value in OF_A_ZOO[zoo].items():
            values[name] = values[name] if name in named else value
        found = [Job((model,), build, values) for model in model_names.zoo(zoo)]
        return found if of_variables else [job for job in found if job.models[0].name in names]
    models: Tuple[Model, ...] = ()
    if of_variables or {"MODEL", "ONNX"} & set(named):
        models = model_names.given(values, named)
    if values["QUANT"] and "SAMPLES" not in named:
        values["SAMPLES"] = QUANTIZED_SAMPLES
    for name in photographs.HALVES:
        if values[name] == photographs.NAME:
            values[name] = photographs.path(name)
    for name in ("WEIGHTS", "INPUTS", "TFLITE", "CALIBRATION"):
        # An INPUTS that is no file is a distribution.
        if values[name] and os.path.lexists(str(ROOT / os.path.expanduser(values[name]))):
            values[name] = seen.from_the_root(values[name])
    if values["REQUIREMENTS"]:
        values["REQUIREMENTS"] = seen.from_the_root(values["REQUIREMENTS"])
        requirements_file.read(values["REQUIREMENTS"])
    made = [Job((Model(each.name, seen.from_the_root(each.source)),), build, values) for each in models]
    missing = [name for name in names if name not in {model.name for model in models}]
    made += [_job_of_name(name, build, values, named) for name in missing]
    return [_with_photographs(job) for job in made]


def _with_photographs(job: Job) -> Job:
    """The default model has photographs to be calibrated on."""
    default = f"models/{variables.BY_NAME['MODEL'].default}.py"
    if job.models[0].source != default or job.values["CALIBRATION"]:
        return job
    return job._replace(values={**job.values, "CALIBRATION": photographs.path("CALIBRATION")})


def _job_of_name(name: str, build: str, values: Dict[str, str], named: Sequence[str]) -> Job:
    """The job for a model that a goal names and no variable does: one of ``models/``, or one that was made before.

    The latter has the options that it was made with, but for those that are given.
    """
    source = f"models/{name}.py"
    if not (ROOT / source).is_file():
        record = records.load(f"{build}/{name}", "model.onnx")
        held = {key: value for key, value in (record or {"options": {}})["options"].items() if isinstance(value, str)}
        source = held.pop("source", source)
        values = {**values, **{key: value for key, value in held.items() if key in values and key not in named}}
        if not (ROOT / source).is_file() or model_names.name_of(source) != name:
            raise RunnerError(
                f"there is no model file {source}, and nothing was built from a model named {name} before"
            )
    return Job((Model(name, source),), build, values)


def _asked(goals: Sequence[str], values: Dict[str, str]) -> Asked:
    verbs, names, of_variables = [], [], False
    quants = []
    of_quant = {stages.quantized_file(quant): quant for quant in stages.QUANTS}
    for goal in goals:
        file, verb = OF_A_FILE.fullmatch(goal), OF_A_VERB.fullmatch(goal)
        if goal in VERBS:
            verbs.append(goal)
            of_variables = True
        elif verb:
            verbs.append(verb.group(1))
            names.append(model_names.checked(verb.group(2), f"the goal {goal!r}"))
        elif file and file.group(3) in {**VERB_OF, **of_quant}:
            verbs.append(VERB_OF.get(file.group(3), "tflite"))
            quants += [of_quant[file.group(3)]] if file.group(3) in of_quant else []
            names.append(model_names.checked(file.group(2), f"the goal {goal!r}"))
            build = stages.folder_of(values)
            if file.group(1) != build:
                raise RunnerError(
                    f"with these variables a model's files are in {build}/, and {goal!r} is asked for: TORCH=2, "
                    "TF=2.2, GRAPH=article and LAYOUT=nhwc have folders of their own, and so has make zoo"
                )
    if values["QUANT"] in stages.QUANTS and QUANTIZED & set(verbs):
        quants.append(values["QUANT"])
    return Asked(tuple(verbs), tuple(dict.fromkeys(names)), of_variables, tuple(dict.fromkeys(quants)))


def _check(asked: Asked, values: Dict[str, str]) -> None:
    if values["TFLITE"]:
        if set(asked.verbs) != {"verify"}:
            raise RunnerError("TFLITE is a file of another converter for `make verify` to judge, and for that alone")
        if not os.path.isfile(str(ROOT / os.path.expanduser(values["TFLITE"]))):
            raise RunnerError(f"there is no TFLITE file {printable(values['TFLITE'])}")
    used = {name for verb in asked.verbs for stage in VERBS[verb] for name in stages.BY_NAME[stage].variables}
    if "verify" in asked.verbs:
        used |= set(stages.BY_NAME[_verifier(asked.verbs, values)].variables)
    used |= {name for quant in asked.quants for name in stages.quantization(quant).variables}
    if "matrix" not in asked.verbs:
        tfs, torches = [values["TF"]], [values["TORCH"]]
    else:
        tfs, torches = several_tfs(values), several_torches(values)
    for tf, torch in itertools.product(tfs, torches):
        variables.check({**values, "TF": tf, "TORCH": torch}, (*ALWAYS, *sorted(used - set(ALWAYS))))


def several_tfs(values: Dict[str, str]) -> List[str]:
    """The TensorFlows that the matrix is made with: those of ``TF``, or all where it is not given."""
    if "TF" in variables.given():
        return values["TF"].split() or [""]
    return list(variables.BY_NAME["TF"].choices)


def several_torches(values: Dict[str, str]) -> List[str]:
    """The PyTorches that the matrix is made with: those of ``TORCH``. Not all models are for all of them."""
    return values["TORCH"].split() or [""]
