"""The runners' command line: what the Makefile's recipes call."""

import argparse
import os
import signal
import subprocess
import sys
from typing import Any, Callable, List, Tuple

from runners import choose, container, container_gpu, doctor, engines, image, lock, matrix, venv
from runners.errors import RunnerError
from runners.paths import ROOT

# What an engine's client ends with where it could not start the container, and what the kernel's SIGKILL looks like.
NOT_STARTED, KILLED = (125, 126, 127), 137


def main(arguments: List[str]) -> int:
    """Carry out one command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        return options.carry_out(options)
    except RunnerError as error:
        print(f"ferry: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("ferry: interrupted", file=sys.stderr)
        return 130


def _choose(options: argparse.Namespace) -> int:
    choice, reason = choose.choose(options.runner)
    if not options.runner and choice in engines.QUESTIONS:
        choice, reason = _with_an_image(choice, reason, _image_for(options))
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


def _run(options: argparse.Namespace) -> int:
    choose.must_exist(options.runner)
    what = " ".join(options.program[:2])
    if options.runner == "venv":
        python = venv.ensure(venv.BY_TENSORFLOW[options.tf])
        return _start([str(python), "-s", *options.program], what, _is_stage(options.program))
    if options.runner == choose.INSIDE:
        _must_be_inside(options.tf)
        return _start([sys.executable, "-s", *options.program], what, _is_stage(options.program))
    engine = engines.at_hand(options.runner)
    name = image.ensure(engine, _image_for(options))
    program, more = container_gpu.share(engine, name, options.program)
    code = _start(container.command(engine, name, program, more), what)
    if code in NOT_STARTED:
        raise RunnerError(f"{engine.name} could not start the container; its message above says why")
    if code == KILLED:
        raise RunnerError(f"{what} was killed, most likely for want of memory; MEMORY=8g allows it 8 GB")
    return code


def _bench(options: argparse.Namespace) -> int:
    newest = ""
    if options.runner == "venv":
        try:
            newest = str(venv.ensure(venv.BENCH))
        except RunnerError as error:
            print(f"bench: without the newest TFLite runtime and the chart: {error}", file=sys.stderr)
    options.program += ["--newest", newest]
    return _run(options)


def _shell(options: argparse.Namespace) -> int:
    choose.must_exist(options.runner)
    if options.runner in engines.QUESTIONS:
        engine = engines.at_hand(options.runner)
        return _start(container.shell(engine, image.ensure(engine, _image_for(options))), "the shell")
    if options.runner == "venv":
        folder = venv.ensure(venv.BY_TENSORFLOW[options.tf]).parent
        os.environ["PATH"] = os.pathsep.join([str(folder), os.environ.get("PATH", os.defpath)])
    return _start([os.environ.get("SHELL", "/bin/sh")], "the shell")


def _image(options: argparse.Namespace) -> int:
    if options.runner not in engines.QUESTIONS:
        raise RunnerError("images are for RUNNER=docker and RUNNER=podman")
    print(image.ensure(engines.need(options.runner), _image_for(options)))
    return 0


def _remove_images(_options: argparse.Namespace) -> int:
    for name in engines.QUESTIONS:
        image.remove(name)
    return 0


def _matrix(options: argparse.Namespace) -> int:
    _in_a_checkout()
    named = {"--weights": options.weights, "--input-shape": options.input_shape}
    given = [word for option, value in named.items() if value for word in (option, value)]
    return matrix.run(options.sources, options.tf, options.runner or [], options.samples, given)


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


def _image_for(options: argparse.Namespace) -> image.Image:
    return image.wanted(options.tf, options.device)


def _must_be_inside(tf: str) -> None:
    has = os.environ.get("FERRY_TF", tf)
    if tf != has:
        raise RunnerError(f"this image holds TensorFlow {has}; TF={tf} has an image of its own")


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

    def command_with_tf(*given: Any) -> argparse.ArgumentParser:
        made = command(*given)
        made.add_argument("--device", choices=["cpu", "gpu"], default="cpu", help="whose image it is")
        made.add_argument("--tf", choices=sorted(venv.BY_TENSORFLOW), default="2.4", help="which TensorFlow")
        return made

    chooser = command_with_tf("choose", _choose, "print the runner to use, and on the error stream why")
    chooser.add_argument("runner", nargs="?", default="", help="docker, podman or venv; empty: find out")
    runner = command_with_tf("run", _run, "run a Python program in a runner")
    runner.add_argument("runner")
    runner.add_argument("program", nargs=argparse.REMAINDER, help="the arguments of its python")
    bench = command_with_tf("bench", _bench, "run the benchmark, with the newest TFLite runtime where there is one")
    bench.add_argument("runner")
    bench.add_argument("program", nargs=argparse.REMAINDER, help="the arguments of its python")
    command_with_tf("shell", _shell, "open a shell in a runner").add_argument("runner")
    command_with_tf("image", _image, "build a container runner's image").add_argument("runner")
    command("remove-images", _remove_images, "remove the images that this checkout built last")
    command("doctor", _doctor, "say what this machine has for Ferry, and what that means")
    table = command("matrix", _matrix, "carry models with each TensorFlow in each runner, and print one table")
    table.add_argument("--tf", action="append", choices=sorted(venv.BY_TENSORFLOW), required=True)
    table.add_argument("--runner", action="append", choices=choose.RUNNERS, help="unset: all that answer")
    table.add_argument("--samples", default="1000")
    table.add_argument("--weights", default="")
    table.add_argument("--input-shape", default="")
    table.add_argument("sources", nargs="+", metavar="FILE")
    linter = command("lint", _lint, "run a linter in the linters' environment")
    linter.add_argument("tool", help="ruff or mypy")
    linter.add_argument("arguments", nargs=argparse.REMAINDER)
    command("lock", _lock, "resolve the .in files into lock files")
    return parser


def _is_stage(program: List[str]) -> bool:
    return bool(program) and program[0].startswith("scripts/")


def _start(command: List[str], what: str, answers_late: bool = False) -> int:
    """Run a program to its end. Ctrl-C is the program's to answer: the terminal sends it to both.

    One that ``answers_late`` starts with the signal held back, and lets it through when it can clean up after itself.
    """
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    previous = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        if answers_late:
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        process = subprocess.Popen(command, cwd=str(ROOT), env=environment)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        code = process.wait()
    finally:
        signal.signal(signal.SIGINT, previous)
    if code < 0:
        print(f"ferry: error: {what} was ended by {signal.Signals(-code).name}", file=sys.stderr)
        return 128 - code
    return code
