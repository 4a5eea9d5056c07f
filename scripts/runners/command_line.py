"""The runners' command line: what the Makefile's recipes call."""

import argparse
import os
import shlex
import sys
from pathlib import Path
from typing import Callable, Dict, List, Optional, Sequence, Tuple

from runners import (
    choose,
    container,
    doctor,
    engines,
    image,
    lock,
    matrix,
    package_layer,
    plan,
    processes,
    requirements_file,
    resolve,
    run_stage,
    stages,
    uv,
    variables,
    venv,
    zoo2020,
)
from runners.errors import RunnerError
from runners.paths import ROOT


def main(arguments: List[str]) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.carry_out(options))
    except RunnerError as error:
        print(f"ferry: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("ferry: interrupted", file=sys.stderr)
        return 130


def _choose(options: argparse.Namespace) -> int:
    values = _values("RUNNER", "TF", "DEVICE", "TORCH")
    wanted = options.runner or values["RUNNER"]
    choice, reason = choose.choose(wanted, values["TORCH"])
    if not wanted and choice in engines.QUESTIONS:
        choice, reason = _with_an_image(choice, reason, image.of(values))
    print(f"runner: {choice} ({reason})", file=sys.stderr)
    print(choice)
    return 0


def _with_an_image(choice: str, reason: str, wanted: image.Image) -> Tuple[str, str]:
    """The choice, or ``venv`` where its image cannot be had: who has asked for no runner wants one that works."""
    again = f"`make image RUNNER={choice}` tries again"
    if image.failed_before(choice, wanted):
        return "venv", f"{reason}, but its image could not be built; {again}"
    try:
        image.ensure(engines.at_hand(choice), wanted)
    except RunnerError as error:
        print(f"ferry: {error}", file=sys.stderr)
        return "venv", f"{reason}, but has no image to run in; {again}"
    return choice, reason


def _stage(options: argparse.Namespace) -> int:
    stage = stages.BY_NAME[options.stage]
    jobs = plan.jobs(options.names, of_variables=False, zoo="zoo" if options.zoo else "")
    # The variables may name more models than this is about.
    jobs = [job for job in jobs if job.models[0].name in options.names]
    job = jobs[0]._replace(models=tuple(each.models[0] for each in jobs))
    if stage.target:
        return run_stage.make(stage, job, options.runner, options.always)
    newest = _newest(options.runner) if stage.name == "verify_given" else None
    return run_stage.run(stage, job, options.runner, newest=newest)


def _bench(options: argparse.Namespace) -> int:
    jobs = plan.jobs([], of_variables=True)
    job = jobs[0]._replace(models=tuple(each.models[0] for each in jobs))
    return run_stage.run(stages.BY_NAME["bench"], job, options.runner, newest=_newest(options.runner))


def _bench_forms(_options: argparse.Namespace) -> int:
    rounds = _values("ROUNDS")["ROUNDS"]
    newest = _newest("venv")
    named = [f"--newest={newest}"] if newest else []
    return _in_the_environment(["scripts/bench_forms.py", f"--rounds={rounds}", *named])


def _newest(runner: str) -> Optional[str]:
    """The interpreter with the newest TFLite runtime, where there is one."""
    if runner != "venv":
        return None
    try:
        return str(venv.ensure(venv.BENCH))
    except RunnerError as error:
        print(f"ferry: without the newest TFLite runtime: {error}", file=sys.stderr)
        return None


def _matrix(_options: argparse.Namespace) -> int:
    _in_a_checkout()
    values = variables.read()
    runners = [values["RUNNER"]] if values["RUNNER"] else []
    return matrix.run(plan.jobs([], of_variables=True), plan.several_tfs(values), runners, plan.several_torches(values))


def _zoo2020(options: argparse.Namespace) -> int:
    _in_a_checkout()
    choose.must_exist(options.runner)
    return zoo2020.run(options.runner)


def _zoo_today(_options: argparse.Namespace) -> int:
    _in_a_checkout()
    return zoo2020.run("venv", zoo2020.TODAY)


def _run(options: argparse.Namespace) -> int:
    choose.must_exist(options.runner)
    if options.runner in engines.QUESTIONS:
        engine, values = engines.at_hand(options.runner), _values("TF", "DEVICE", "TORCH")
        wanted = image.ensure(engine, image.of(values))
        command = container.command(engine, wanted, options.program)
        return run_stage.in_a_container(engine, command, " ".join(options.program[:2]))
    return _in_the_environment(options.program)


def _test(options: argparse.Namespace) -> int:
    try:
        given = shlex.split(_values("PYTEST")["PYTEST"])
    except ValueError as error:
        raise RunnerError(f"PYTEST is read as a shell would, and is no list of words: {error}") from error
    chosen = [f"-m={options.marks}"] if options.marks else []
    left_out = [f"--ignore={options.without}"] if options.without else []
    # Those that the user picks are few, and are seen one by one.
    program = ["tests/side_by_side.py"] if options.side_by_side and not given else ["-m", "pytest"]
    return _in_the_environment([*program, *chosen, *left_out, *options.folders, *given])


def _fuzz(_options: argparse.Namespace) -> int:
    return _in_the_environment(["scripts/fuzz.py", f"--count={_values('FUZZ')['FUZZ']}"])


def _coverage_newest(_options: argparse.Namespace) -> int:
    folder = variables.read()["NEWEST"]
    if not folder:
        raise RunnerError("NEWEST=FOLDER says where the tests are")
    return _in_the_environment(["scripts/operator_coverage.py", f"--newest={folder}", "--output=docs/newer-opsets.md"])


def _in_the_environment(program: Sequence[str]) -> int:
    """Run one of Ferry's own tools in the virtual environment of the default TensorFlow."""
    _in_a_checkout()
    return _start([str(venv.ensure(venv.TF24)), "-s", *program], " ".join(program[:2]))


def _shell(options: argparse.Namespace) -> int:
    values = _values("TF", "DEVICE", "TORCH")
    choose.must_exist(options.runner)
    if options.runner in engines.QUESTIONS:
        engine = engines.at_hand(options.runner)
        wanted = image.of(values)
        return _start(container.shell(engine, image.ensure(engine, wanted)), "the shell")
    if options.runner == "venv":
        folder = venv.ensure(venv.BY_TENSORFLOW[values["TF"]]).parent
        os.environ["PATH"] = os.pathsep.join([str(folder), os.environ.get("PATH", os.defpath)])
    return _start([os.environ.get("SHELL", "/bin/sh")], "the shell")


def _image(options: argparse.Namespace) -> int:
    values = _values("TF", "DEVICE", "TORCH")
    if options.runner not in engines.QUESTIONS:
        raise RunnerError("images are for RUNNER=docker and RUNNER=podman")
    print(image.ensure(engines.need(options.runner), image.of(values)))
    return 0


def _install_packages(options: argparse.Namespace) -> int:
    tools = resolve.Tools(str(uv.ensure()), uv.environment(), sys.executable, ROOT / options.lock)
    resolve.install(tools, options.requirements, requirements_file.read(options.requirements), Path(options.folder))
    return 0


def _remove_images(_options: argparse.Namespace) -> int:
    for name in engines.QUESTIONS:
        package_layer.remove(name)
        image.remove(name)
    return 0


def _lint(options: argparse.Namespace) -> int:
    _in_a_checkout()
    python = venv.ensure(venv.LINT)
    return _start([str(python), "-s", "-m", options.tool, *options.arguments], options.tool)


def _lock(_options: argparse.Namespace) -> int:
    _in_a_checkout()
    lock.write_all()
    return 0


def _doctor(_options: argparse.Namespace) -> int:
    return doctor.examine()


def _values(*names: str) -> Dict[str, str]:
    """The values of the variables, of which those in ``names`` are looked at."""
    values = variables.read()
    variables.check(values, names)
    return values


def _in_a_checkout() -> None:
    if "FERRY_IMAGE" in os.environ:
        raise RunnerError("the image holds what the stages need; this needs a checkout of Ferry")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="runners", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    def command(name: str, carry_out: Callable[[argparse.Namespace], int], meaning: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=meaning)
        made.set_defaults(carry_out=carry_out)
        return made

    chooser = command("choose", _choose, "print the runner to use, and on the error stream why")
    chooser.add_argument("runner", nargs="?", default="", help="docker, podman or venv; unset, RUNNER or what is here")
    stage = command("stage", _stage, "run a stage, unless what it makes is there and would be made from the same")
    stage.add_argument("--always", action="store_true", help="even then")
    stage.add_argument("--zoo", action="store_true", help="the models are those of models/zoo/")
    stage.add_argument("runner")
    stage.add_argument("stage", choices=sorted(stages.BY_NAME))
    stage.add_argument("names", nargs="+", metavar="MODEL")
    command("bench", _bench, "run the benchmark, with the newest TFLite runtime where there is one").add_argument(
        "runner"
    )
    command("bench-forms", _bench_forms, "time the forms of layers, with the newest TFLite runtime where there is one")
    command("matrix", _matrix, "convert models with each TensorFlow in each runner, and print one table")
    command("zoo2020", _zoo2020, "convert and verify the models of packages").add_argument("runner")
    command("zoo-today", _zoo_today, "convert and verify the models of today's PyTorch")
    runner = command("run", _run, "run a Python program in a runner; it writes to nothing where that is a container")
    runner.add_argument("runner")
    runner.add_argument("program", nargs=argparse.REMAINDER, help="the arguments of its python")
    test = command("test", _test, "run the tests")
    test.add_argument("--marks", default="", help="run the tests with these marks, as pytest -m takes them")
    test.add_argument("--without", default="", metavar="FOLDER", help="leave the tests below FOLDER out")
    test.add_argument("--side-by-side", action="store_true", help="in a process a processor, unless PYTEST is given")
    test.add_argument("folders", nargs="*", metavar="FOLDER", help="run the tests below FOLDER alone")
    command("fuzz", _fuzz, "give damaged files to the stages")
    command("coverage-newest", _coverage_newest, "convert a newer onnx's own tests of its operators")
    command("shell", _shell, "open a shell in a runner").add_argument("runner")
    command("image", _image, "build a container runner's image").add_argument("runner")
    packages = command("install-packages", _install_packages, "install the user's packages in the build of an image")
    packages.add_argument("lock")
    packages.add_argument("requirements")
    packages.add_argument("folder")
    command("remove-images", _remove_images, "remove the images that this checkout built last")
    command("doctor", _doctor, "say what this machine has for Ferry, and what that means")
    linter = command("lint", _lint, "run a linter in the linters' environment")
    linter.add_argument("tool", help="ruff or mypy")
    linter.add_argument("arguments", nargs=argparse.REMAINDER)
    command("lock", _lock, "resolve the .in files into lock files")
    return parser


def _start(command: List[str], what: str) -> int:
    """Run a program that is no stage to its end."""
    return processes.run(processes.Program(command, run_stage.own_environment()), what)
