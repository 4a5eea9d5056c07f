"""Run a stage in a runner: what it reads is shown to it, it writes to an airlock, and what it made is published."""

import os
import sys
import tempfile
from typing import IO, Dict, List, NamedTuple, Optional

from runners import (
    airlock,
    bytecode,
    choose,
    container,
    container_gpu,
    engines,
    image,
    leftovers,
    package_folder,
    package_layer,
    photographs,
    processes,
    records,
    sandbox,
    sandbox_probe,
    seen,
    stages,
    torch_interpreter,
    variables,
    venv,
)
from runners.airlock import Airlock
from runners.digests import Known
from runners.engines import Engine
from runners.errors import RunnerError
from runners.paths import ROOT
from runners.processes import Program
from runners.stages import Job, Stage
from runners.torch_interpreter import TorchInterpreter

# What an engine's client ends with where it could not start the container, and what the kernel's SIGKILL looks like.
NOT_STARTED, KILLED = (125, 126, 127), 137
# Where the stage finds the user's packages, as ferry.model.user_packages has it.
PACKAGES = "FERRY_PACKAGES"
# What a stage has read, as it says, in its airlock.
REPORT = "read.json"
# What every stage reads of the checkout: its own sources, the locks, whose digests it notes in what it makes, and the
# tables of what the runtimes and delegates take.
OF_FERRY = ("scripts", "requirements.lock", "requirements", "docs/targets")


class Run(NamedTuple):
    """One run of a stage: the stage, what for, where it writes, where its output goes, other interpreters it uses.

    ``newest`` has the newest TFLite runtime, ``torch`` another PyTorch than the pinned one. ``shown`` holds
    what it can see of this machine, relative to the checkout where that lies below; None for all.
    """

    stage: Stage
    job: Job
    place: Airlock
    shown: Optional[List[str]]
    output: Optional[IO[bytes]]
    newest: Optional[str]
    torch: Optional[TorchInterpreter]

    def program(self) -> List[str]:
        """The words that follow the interpreter's name."""
        first, *rest = stages.arguments(self.stage, self.job, self.place.path)
        record = [f"--record={self.place.path}/{REPORT}"] if self.stage.target else []
        newest = [f"--newest={self.newest}"] if self.newest else []
        torch = self.torch.options() if self.torch else []
        return [first, f"--shown={self.job.folder(self.stage)}", *record, *newest, *torch, *rest]

    @property
    def packages(self) -> str:
        """The requirements file of what the model file imports; empty for none."""
        return self.job.values["REQUIREMENTS"] if "REQUIREMENTS" in self.stage.variables else ""

    @property
    def what(self) -> str:
        """What it is called in messages."""
        return f"{self.stage.name} of {', '.join(model.name for model in self.job.models)}"


def make(stage: Stage, job: Job, runner: str, always: bool = False) -> int:
    """Run ``stage`` unless the file that it makes is there and would be made from the same; return its exit code."""
    if not always and not records.is_stale(stage, job, Known()):
        return 0
    return run(stage, job, runner)


def run(stage: Stage, job: Job, runner: str, output: Optional[IO[bytes]] = None, newest: Optional[str] = None) -> int:
    """Run ``stage`` and publish what it has made; return its exit code.

    Args:
        stage: an entry of ``stages.TABLE``.
        job: what it is run for; paths in it are relative to the checkout, or absolute.
        runner: the runner, as ``choose`` names it.
        output: where all that it prints goes, or None for this process's own streams.
        newest: an interpreter with the newest TFLite runtime, for a stage that measures it.

    Raises:
        RunnerError: the runner cannot run it, or what it made cannot be published.
    """
    choose.must_exist(runner)
    variables.check(job.values, {*stage.variables, "TF"})
    if any(name in stage.variables and job.values[name] == photographs.path(name) for name in photographs.HALVES):
        photographs.ensure()
    torch = torch_interpreter.of(stage, job)
    bwrap = sandbox_probe.choose() if runner == "venv" else None
    shown = seen.paths(stage, job) if bwrap or runner in engines.QUESTIONS else None
    before = records.Before(stage, job) if stage.target else None
    with airlock.opened(stage.name) as place:
        one = Run(stage, job, place, shown, output, newest, torch)
        code = _in_a_container(one, runner) if runner in engines.QUESTIONS else _in_an_environment(one, runner, bwrap)
        into = job.folder(stage)
        if before is not None and code == 0:
            # From here until the new record is written nothing says what the file was made from.
            records.forget(into, stage.target)
        published = place.publish(stage.products, into, code == 0)
        if before is not None and code == 0:
            if stage.target not in published:
                raise RunnerError(f"{stage.name} has left no regular file {stage.target}, so there is none to publish")
            _record(one, before, in_image=runner in engines.QUESTIONS)
    return code


def _record(one: Run, before: records.Before, in_image: bool) -> None:
    data = one.place.read(REPORT, records.MOST_BYTES)
    read = records.read_report(data) if data is not None else None
    if read is None:
        print(f"ferry: {one.what} has not said what it read, so it runs again the next time", file=sys.stderr)
        return
    if one.shown is not None:
        # A stranger must not have any file of this machine looked at by naming it.
        shown = one.shown
        read = records.only(read, lambda path: seen.holds(shown, path))
    record = before.record(one.stage, one.job, read, in_image)
    records.write(one.job.folder(one.stage), one.stage.target, record)


def _in_an_environment(one: Run, runner: str, bwrap: Optional[List[str]]) -> int:
    """Run it in a virtual environment, in the sandbox that ``bwrap`` makes if that is given, or in this image's own."""
    python, variables_of_stage = sys.executable, {}
    packages = one.packages
    if runner == "venv":
        environment = venv.BY_TENSORFLOW[one.job.values["TF"]]
        python = str(venv.ensure(environment))
        folder = str(package_folder.ensure(environment, packages)) if packages else ""
        variables_of_stage = {PACKAGES: folder}
    elif packages:
        raise RunnerError("the image holds what the stages need; REQUIREMENTS is for a checkout of Ferry")
    command = [python, "-s", *one.program()]
    if bwrap is None:
        given = {**own_environment(), **variables_of_stage}
        program: Program = processes.Stage(command, _with_room(given, one.place.path), one.output)
    else:
        bytecode.ensure(python)
        pythons = [python, one.newest] if one.newest else [python]
        reads = [path for each in pythons for path in sandbox.interpreter_paths(each)]
        reads += torch_interpreter.reads(one.torch) if one.torch else []
        reads += [str(ROOT / path) for path in (*OF_FERRY, *(one.shown or []))]
        reads += filter(None, variables_of_stage.values())
        gpu = "DEVICE" in one.stage.variables and one.job.values["DEVICE"] == "gpu"
        command = sandbox.command(bwrap, command, reads, [str(ROOT / one.place.path)], gpu)
        program = processes.Sandboxed(command, {**sandbox.environment(), **variables_of_stage}, one.output)
    return processes.run(program, one.what, processes.time_limit(), answers_late=True)


def _in_a_container(one: Run, runner: str) -> int:
    engine = engines.at_hand(runner)
    values = one.job.values
    below = image.of(values)
    wanted = package_layer.ensure(engine, below, one.packages) if one.packages else image.ensure(engine, below)
    options: List[str] = []
    if "DEVICE" in one.stage.variables and values["DEVICE"] == "gpu":
        options = container_gpu.options(engine, wanted)
        if not options:
            one = one._replace(job=one.job._replace(values={**values, "DEVICE": "cpu"}))
    command = container.command(engine, wanted, one.program(), options, one.shown or [], one.place.path)
    return in_a_container(engine, command, one.what, one.output)


def in_a_container(engine: Engine, command: List[str], what: str, output: Optional[IO[bytes]] = None) -> int:
    """Run ``command``, as ``container.command`` makes it, to its end; return its exit code.

    Raises:
        RunnerError: the engine could not start it, or it was killed.
    """
    work = ROOT / airlock.WORK
    leftovers.sweep(work)
    name = leftovers.new_name()
    client, verb, *rest = command
    with leftovers.noted(work, engine.name, name):
        named = [client, verb, *leftovers.options(name), *rest]
        code = processes.run(processes.Container(named, dict(os.environ), name, output), what, processes.time_limit())
    if code in NOT_STARTED:
        raise RunnerError(f"{engine.name} could not start the container; its message above says why")
    if code == KILLED:
        raise RunnerError(f"{what} was killed, most likely for want of memory; MEMORY=8g allows it 8 GB")
    return code


def _with_room(environment: Dict[str, str], place: str) -> Dict[str, str]:
    """``environment``, with the stage's own folder for temporary files where nothing else can be written."""
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        return {**environment, "TMPDIR": str(ROOT / place)}
    return environment


def own_environment() -> Dict[str, str]:
    """This process's environment variables without those that change which modules a Python finds."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
