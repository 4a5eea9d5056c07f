"""The runners' command line: ``choose``, ``run``, ``lint`` and ``lock``."""

import argparse
import os
import signal
import subprocess
import sys
from typing import List

from runners import choose, lock, venv
from runners.errors import RunnerError
from runners.paths import ROOT


def main(arguments: List[str]) -> int:
    """Carry out one command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        if options.command == "choose":
            choice, reason = choose.choose(options.runner)
            print(f"runner: {choice} ({reason})", file=sys.stderr)
            print(choice)
            return 0
        if options.command == "run":
            choose.must_be_built(options.runner)
            return _run([str(venv.ensure(venv.TF24)), "-s", *options.program], answers_late=_is_stage(options.program))
        if options.command == "lint":
            python = venv.ensure(venv.LINT)
            return _run([str(python), "-s", "-m", options.tool, *options.arguments])
        lock.write_all()
        return 0
    except RunnerError as error:
        print(f"ferry: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("ferry: interrupted", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="runners", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    chooser = commands.add_parser("choose", help="print the runner to use, and on the error stream why")
    chooser.add_argument("runner", nargs="?", default="", help="docker, podman or venv; empty: find out")
    runner = commands.add_parser("run", help="run a Python program in a runner")
    runner.add_argument("runner")
    runner.add_argument("program", nargs=argparse.REMAINDER, help="the arguments of its python")
    linter = commands.add_parser("lint", help="run a linter in the linters' environment")
    linter.add_argument("tool", help="ruff or mypy")
    linter.add_argument("arguments", nargs=argparse.REMAINDER)
    commands.add_parser("lock", help="resolve the .in files into lock files")
    return parser


def _is_stage(program: List[str]) -> bool:
    return bool(program) and program[0].startswith("scripts/")


def _run(command: List[str], answers_late: bool = False) -> int:
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
        name = signal.Signals(-code).name
        print(f"ferry: error: {' '.join(command[2:4])} was ended by {name}", file=sys.stderr)
        return 128 - code
    return code
