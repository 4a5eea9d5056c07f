"""The table of the stages: the program of each, what it reads, what it makes, and what its options are taken from.

Nothing else spells a stage's command line. The Makefile, the matrix, what a container or a sandbox is shown and what is
published of a stage's output all follow from here.
"""

import os
from typing import Dict, List, NamedTuple, Tuple

# What an option's value is taken from: a variable of the user's, the model's file, its name, a file that an earlier
# stage made, the folder of those, the place in the airlock that the stage writes to, or the table itself. What decides
# which packages the stage finds, or which other interpreter it uses, the runner sees to itself.
VARIABLE, SOURCE, NAME, ARTIFACT, FOLDER, OUTPUT = "variable", "source", "name", "artifact", "folder", "output"
PACKAGES, INTERPRETER, FIXED = "packages", "interpreter", "fixed"
# What a stage is shown of a file that the user names: the folder that it lies in, or the file or folder alone.
ITS_FOLDER, ALONE = "its folder", "alone"
# Where what a stage makes is published: the model's folder, the one that holds all models', or docs/.
OF_THE_MODEL, OF_ALL, DOCS = "model", "all", "docs"

# protobuf and TFLite hold no more.
MODEL_BYTES = 2**31
TEXT_BYTES = 2**28
# As many as the checks draw samples, in a file of its own each.
MOST_FILES = 100_000


class Option(NamedTuple):
    """An option of a stage's program; ``flag`` is empty where the value is positional, and ``shown`` for no file."""

    flag: str
    kind: str
    what: str = ""
    shown: str = ""


class Product(NamedTuple):
    """What a stage makes: a pattern of names in its folder, and how large such a file may be.

    ``always``: published even when the stage has failed. ``replaces``: those of an earlier run that fit the pattern go
    when the stage has reported. ``files``: it is a folder of files with these names.
    """

    pattern: str
    most_bytes: int = TEXT_BYTES
    always: bool = False
    replaces: bool = False
    files: Tuple[str, ...] = ()


class Stage(NamedTuple):
    """A stage. ``reads`` are patterns of what earlier stages made; ``target`` is the file that make knows it by."""

    name: str
    program: str
    options: Tuple[Option, ...]
    reads: Tuple[str, ...] = ()
    makes: Tuple[Product, ...] = ()
    target: str = ""
    into: str = OF_THE_MODEL

    @property
    def variables(self) -> Tuple[str, ...]:
        """The user's variables that its options are taken from."""
        return tuple(option.what for option in self.options if option.kind in (VARIABLE, PACKAGES, INTERPRETER))

    @property
    def reads_the_model(self) -> bool:
        """Whether it reads the user's model file."""
        return any(option.kind == SOURCE for option in self.options)

    @property
    def products(self) -> Tuple[Product, ...]:
        """All that is published of it, in this order."""
        log = Product(f"logs/{self.name}.log", always=True)
        return self.makes if self.into == DOCS else (log, *self.makes)


class Model(NamedTuple):
    """A model's name, which its files' folder has too, and the file that it comes from."""

    name: str
    source: str


class Job(NamedTuple):
    """What a stage is run for: models, the folder that holds one for each of them, and the variables' values."""

    models: Tuple[Model, ...]
    build: str
    values: Dict[str, str]

    def folder(self, stage: Stage) -> str:
        """Where what ``stage`` makes is published, relative to the checkout."""
        if stage.into == OF_THE_MODEL:
            return f"{self.build}/{self.models[0].name}"
        return self.build if stage.into == OF_ALL else "docs"

    @property
    def reads_from(self) -> str:
        """Where what earlier stages made lies: one model's folder, or that of all."""
        return f"{self.build}/{self.models[0].name}" if len(self.models) == 1 else self.build


def _the_model(shape: bool = True, weights: bool = True, packages: bool = True) -> Tuple[Option, ...]:
    options = [Option("--model", SOURCE, shown=ITS_FOLDER)]
    options += [Option("--torch", INTERPRETER, "TORCH")] if weights else []
    options += [Option("--weights", VARIABLE, "WEIGHTS", ITS_FOLDER)] if weights else []
    options += [Option("--input-shape", VARIABLE, "INPUT_SHAPE")] if shape else []
    options += [Option("", PACKAGES, "REQUIREMENTS")] if packages else []
    return tuple(options)


ARTIFACTS = ("model.onnx", "model.pb", "model.tflite")
# What QUANT= may be: each has a stage and a file of its own beside the float model.
QUANTS = ("float16", "dynamic", "int8")
# What a check that failed keeps for the next one, and for a bisection.
WORST_INPUTS = "worst_input_*.npz"
_REPORT = (
    Product(WORST_INPUTS, MODEL_BYTES, always=True, replaces=True),
    Product("references/*", 2**33, always=True, replaces=True, files=("*.npz", "key.json")),
    Product("report.html", always=True),
    Product("report.junit.xml", always=True),
    Product("report.json", always=True),
)


def quantized_file(quant: str) -> str:
    """The name of the model quantized as ``quant``, one of QUANTS."""
    return f"model.{quant}.tflite"


def _quantize(quant: str, options: Tuple[Option, ...] = ()) -> Stage:
    return Stage(
        f"quantize_{quant}",
        "scripts/quantize.py",
        (
            Option("--quant", FIXED, quant),
            Option("--graph", ARTIFACT, "model.pb"),
            Option("--float", ARTIFACT, "model.tflite"),
            Option("--skip", VARIABLE, "SKIP"),
            Option("--target", VARIABLE, "TARGET"),
            *options,
            Option("--output", OUTPUT, quantized_file(quant)),
        ),
        reads=("model.pb", "model.tflite"),
        makes=(Product(f"model.{quant}.json"), Product(quantized_file(quant), MODEL_BYTES)),
        target=quantized_file(quant),
    )


TABLE = (
    Stage(
        "export_onnx",
        "scripts/export_onnx.py",
        (*_the_model(), Option("--output", OUTPUT, "model.onnx")),
        makes=(Product("model.onnx", MODEL_BYTES),),
        target="model.onnx",
    ),
    Stage(
        "import_onnx",
        "scripts/import_onnx.py",
        (*_the_model(weights=False, packages=False), Option("--output", OUTPUT, "model.onnx")),
        makes=(Product("model.onnx", MODEL_BYTES),),
        target="model.onnx",
    ),
    Stage(
        "onnx_to_tf",
        "scripts/onnx_to_tf.py",
        (
            Option("--input", ARTIFACT, "model.onnx"),
            Option("--graph", VARIABLE, "GRAPH"),
            Option("--layout", VARIABLE, "LAYOUT"),
            Option("--recurrent", VARIABLE, "RECURRENT"),
            Option("--output", OUTPUT, "model.pb"),
        ),
        reads=("model.onnx",),
        makes=(Product("model.pb", MODEL_BYTES),),
        target="model.pb",
    ),
    Stage(
        "tf_to_tflite",
        "scripts/tf_to_tflite.py",
        (
            Option("--input", ARTIFACT, "model.pb"),
            Option("--target", VARIABLE, "TARGET"),
            Option("--output", OUTPUT, "model.tflite"),
        ),
        reads=("model.pb",),
        makes=(Product("model.tflite", MODEL_BYTES),),
        target="model.tflite",
    ),
    _quantize("float16"),
    _quantize("dynamic"),
    _quantize(
        "int8",
        (
            Option("--model", SOURCE, shown=ITS_FOLDER),
            Option("--layout", VARIABLE, "LAYOUT"),
            Option("--calibration", VARIABLE, "CALIBRATION", ALONE),
            Option("--io", VARIABLE, "IO"),
        ),
    ),
    Stage(
        "verify",
        "scripts/verify.py",
        (
            *_the_model(),
            Option("--build", FOLDER),
            Option("--layout", VARIABLE, "LAYOUT"),
            Option("--samples", VARIABLE, "SAMPLES"),
            Option("--device", VARIABLE, "DEVICE"),
            Option("--inputs", VARIABLE, "INPUTS", ALONE),
            Option("--tolerance", VARIABLE, "TOLERANCE"),
            Option("--output", OUTPUT),
        ),
        reads=(*ARTIFACTS, "report.json", "references"),
        makes=_REPORT,
    ),
    Stage(
        "verify_given",
        "scripts/verify.py",
        (
            *_the_model(),
            Option("--build", FOLDER),
            Option("--tflite", VARIABLE, "TFLITE", ALONE),
            Option("--io", VARIABLE, "IO"),
            Option("--samples", VARIABLE, "SAMPLES"),
            Option("--inputs", VARIABLE, "INPUTS", ALONE),
            Option("--tolerance", VARIABLE, "TOLERANCE"),
            Option("--output", OUTPUT),
        ),
        reads=("report.json", "references"),
        makes=_REPORT,
    ),
    Stage(
        "verify_quantized",
        "scripts/verify_quantized.py",
        (
            *_the_model(),
            Option("--build", FOLDER),
            Option("--quant", VARIABLE, "QUANT"),
            Option("--layout", VARIABLE, "LAYOUT"),
            Option("--samples", VARIABLE, "SAMPLES"),
            Option("--inputs", VARIABLE, "INPUTS", ALONE),
            Option("--calibration", VARIABLE, "CALIBRATION", ALONE),
            Option("--accuracy-drop", VARIABLE, "ACCURACY_DROP"),
            Option("--output", OUTPUT),
        ),
        reads=("model.onnx", "model.tflite", "model.*.tflite", "model.*.json", "report.json"),
        makes=(
            Product("report.*.html", always=True),
            Product("report.*.junit.xml", always=True),
            Product("report.*.json", always=True),
        ),
    ),
    Stage(
        "bisect_model",
        "scripts/bisect_model.py",
        (*_the_model(), Option("--build", FOLDER), Option("--layout", VARIABLE, "LAYOUT"), Option("--output", OUTPUT)),
        reads=(*ARTIFACTS, WORST_INPUTS),
    ),
    Stage(
        "inspect_tflite",
        "scripts/inspect_tflite.py",
        (Option("--build", FOLDER), Option("--quant", VARIABLE, "QUANT"), Option("--output", OUTPUT)),
        reads=("model.tflite", "model.*.tflite", "model.*.json"),
    ),
    Stage(
        "targets",
        "scripts/targets.py",
        (Option("--build", FOLDER), Option("--quant", VARIABLE, "QUANT"), Option("--output", OUTPUT)),
        reads=("model.tflite", "model.*.tflite"),
    ),
    Stage(
        "bench",
        "scripts/bench.py",
        (
            Option("--model", SOURCE, shown=ITS_FOLDER),
            Option("--rounds", VARIABLE, "ROUNDS"),
            Option("--samples", VARIABLE, "SAMPLES"),
            Option("--output", OUTPUT, "bench.json"),
        ),
        makes=(Product("bench.svg", replaces=True), Product("bench.json")),
        into=OF_ALL,
    ),
    Stage(
        "zoo_table",
        "scripts/zoo_table.py",
        (Option("--build", FOLDER), Option("--output", OUTPUT, "zoo.md"), Option("", NAME)),
        reads=("*/report.json",),
        makes=(Product("zoo.md", always=True),),
        into=DOCS,
    ),
    Stage(
        "zoo2020_table",
        "scripts/zoo_table.py",
        (Option("--build", FOLDER), Option("--output", OUTPUT, "zoo2020.md"), Option("", NAME)),
        reads=("*/report.json", "refused.json"),
        makes=(Product("zoo2020.md", always=True),),
        into=DOCS,
    ),
    Stage(
        "zoo_today_table",
        "scripts/zoo_table.py",
        (Option("--build", FOLDER), Option("--output", OUTPUT, "zoo-today.md"), Option("", NAME)),
        reads=("*/report.json", "refused.json"),
        makes=(Product("zoo-today.md", always=True),),
        into=DOCS,
    ),
)
# What a value of TORCH adds to that folder; any other is a path.
TORCH_FOLDERS: Dict[str, Tuple[str, ...]] = {"1.5": (), "2": ("torch2",)}
OWN_TORCH = ("torch-own",)
BY_NAME = {stage.name: stage for stage in TABLE}
# What lies beside the models' folders in the folder that holds them: no model can have such a name.
TAKEN = (
    *("article", "nhwc", "tf2.2", "torch2", "torch-own", "given", "zoo", "zoo2020", "zoo_today"),
    *("bench", "bench.json", "bench.svg", "logs", "matrix"),
)


def conversion(source: str) -> List[Stage]:
    """The stages from a model's file to its ``model.tflite``, in order."""
    first = "import_onnx" if source.endswith(".onnx") else "export_onnx"
    return [BY_NAME[name] for name in (first, "onnx_to_tf", "tf_to_tflite")]


def of_target(file: str, source: str) -> Stage:
    """The stage that makes ``file``, one of ARTIFACTS, of a model that comes from ``source``."""
    return next(stage for stage in conversion(source) if stage.target == file)


def quantization(quant: str) -> Stage:
    """The stage that makes the model quantized as ``quant``, one of QUANTS."""
    return BY_NAME[f"quantize_{quant}"]


def folder_of(values: Dict[str, str], zoo: str = "") -> str:
    """The folder of the models' folders. What is not the default keeps its files apart, so that going back and forth
    makes nothing anew; the models of a zoo have namesakes in ``models/``."""
    if values["TFLITE"]:
        return "build/given"
    parts = ["build"]
    parts += TORCH_FOLDERS.get(values["TORCH"], OWN_TORCH)
    parts += ["tf2.2"] if values["TF"] == "2.2" else []
    parts += ["article"] if values["GRAPH"] == "article" else []
    parts += ["nhwc"] if values["LAYOUT"] == "nhwc" else []
    return "/".join([*parts, zoo] if zoo else parts)


def arguments(stage: Stage, job: Job, output: str) -> List[str]:
    """The stage's program with its arguments; it writes to the folder ``output`` alone."""
    words = [stage.program]
    for option in stage.options:
        for value in _values(option, job, output):
            # One word, so that no value is ever taken for an option.
            words.append(f"{option.flag}={value}" if option.flag else value)
    return words


def _values(option: Option, job: Job, output: str) -> List[str]:
    if option.kind == SOURCE:
        return [model.source for model in job.models]
    if option.kind in (PACKAGES, INTERPRETER):
        return []
    if option.kind == FIXED:
        return [option.what]
    if option.kind == NAME:
        return [model.name for model in job.models]
    if option.kind == VARIABLE:
        return [value for value in [job.values[option.what]] if value]
    if option.kind == OUTPUT:
        return [os.path.join(output, option.what) if option.what else output]
    return [os.path.join(job.reads_from, option.what) if option.what else job.reads_from]
