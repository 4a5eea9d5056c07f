"""Run a program to its end: it hears the signals meant for it, ends with its runner, and ends when its time is over."""

import contextlib
import ctypes
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any, Callable, Dict, Iterator, List, Optional, Set

from runners import leftovers
from runners.errors import RunnerError
from runners.paths import ROOT

TIME = re.compile(r"([0-9]+(?:\.[0-9]+)?)([smhd]?)")
SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
# How long a stage that is told to end has to clean up.
GRACE = 5.0
# What a stage leaves behind may end by itself: Python has a process that tidies up after the others.
SECONDS_TO_FOLLOW = 1.0
SECONDS_TO_KILL = 30.0
# Of linux/prctl.h.
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
# Linux alone has it. Elsewhere there are containers only, and they end with their client's own signals.
PRCTL = getattr(ctypes.CDLL(None), "prctl", None)


class Program:
    """A program that shares its runner's terminal, which sends a Ctrl-C to both.

    All that it prints goes to ``output``, or where that is None to this process's own streams.
    """

    def __init__(self, command: List[str], environment: Dict[str, str], output: Optional[IO[bytes]] = None):
        self.command, self.environment, self.output = command, environment, output

    def start(self) -> "subprocess.Popen[bytes]":
        """Start it."""
        return self._start(self.command)

    def _start(self, command: List[str], **options: Any) -> "subprocess.Popen[bytes]":
        self.process = subprocess.Popen(
            command, cwd=str(ROOT), env=self.environment, stdout=self.output, stderr=self.output, **options
        )
        return self.process

    def _start_bound(self, command: List[str], number: signal.Signals, **options: Any) -> "subprocess.Popen[bytes]":
        """Start it so that the kernel sends it the signal ``number`` when this process ends, in whatever way."""
        parent = os.getpid()

        def prepare() -> None:
            if PRCTL is not None:
                PRCTL(PR_SET_PDEATHSIG, int(number), 0, 0, 0)
                if os.getppid() != parent:
                    os._exit(128 + number)

        # The runners have no threads that could hold a lock meanwhile.
        return self._start(command, preexec_fn=prepare, **options)

    def interrupt(self) -> None:
        """Pass on the runner's Ctrl-C, where the terminal does not."""

    def terminate(self) -> None:
        """Tell it to end."""
        self.process.terminate()

    def kill(self) -> None:
        """End it, and all that it has started."""
        self.process.kill()

    def ended(self, code: int) -> int:
        """Do what is left to do once it has ended. Its exit code, or less than 0 for the signal that ended it."""
        return code


class Stage(Program):
    """A stage with no sandbox around it: what it has started ends with it."""

    def start(self) -> "subprocess.Popen[bytes]":
        self._adopt_orphans()
        return self._start_bound(self.command, signal.SIGKILL)

    def ended(self, code: int) -> int:
        # What it has made is not published while something that it left behind could still write to it.
        started = time.monotonic()
        left = self._left()
        while left and time.monotonic() < started + SECONDS_TO_KILL:
            for orphan in left:
                with contextlib.suppress(ChildProcessError, ProcessLookupError, PermissionError):
                    if time.monotonic() > started + SECONDS_TO_FOLLOW:
                        os.kill(orphan, signal.SIGKILL)
                    os.waitpid(orphan, os.WNOHANG)
            time.sleep(0.005)
            left = self._left()
        return super().ended(code)

    def _left(self) -> Set[int]:
        return _children() - self._others if _has_children() else set()

    def _adopt_orphans(self) -> None:
        """Have the kernel make this process the parent of what loses its own."""
        self._others = _children() if _has_children() else set()
        if PRCTL is not None:
            PRCTL(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


class Sandboxed(Stage):
    """A stage under bubblewrap: of another session, so that it cannot type into the terminal, nor hear its Ctrl-C."""

    _first = 0

    def start(self) -> "subprocess.Popen[bytes]":
        self._adopt_orphans()
        reading, writing = os.pipe()
        command = [self.command[0], "--info-fd", str(writing), *self.command[1:]]
        try:
            # In the terminal's session a Ctrl-C would end bubblewrap, and by that the stage before it could say so.
            options = {"stdin": subprocess.DEVNULL, "pass_fds": [writing], "start_new_session": True}
            self._start_bound(command, signal.SIGKILL, **options)
        finally:
            os.close(writing)
        with open(reading, "rb") as file, contextlib.suppress(ValueError):
            # The first process inside. It leads the group of all the others, and itself hears no signal.
            self._first = json.loads(file.read().decode())["child-pid"]
        return self.process

    def interrupt(self) -> None:
        self._send(signal.SIGINT)

    def terminate(self) -> None:
        self._send(signal.SIGTERM)

    def ended(self, code: int) -> int:
        # Bubblewrap speaks of signals as a shell does. A stage that was interrupted ends with 130 by itself.
        return super().ended(128 - code if code > 128 and code != 128 + signal.SIGINT else code)

    def _send(self, number: signal.Signals) -> None:
        try:
            if not self._first:
                raise ProcessLookupError
            os.killpg(self._first, number)
        except (ProcessLookupError, PermissionError):
            # It has no group yet, and has begun nothing.
            self.kill()


class Container(Program):
    """An engine's client, which passes signals on to the container ``name``; they end together."""

    def __init__(self, command: List[str], environment: Dict[str, str], name: str, output: Optional[IO[bytes]] = None):
        super().__init__(command, environment, output)
        self.name = name

    def start(self) -> "subprocess.Popen[bytes]":
        return self._start_bound(self.command, signal.SIGTERM)

    def ended(self, code: int) -> int:
        if code < 0:
            # The client has not ended with its container, but was killed.
            leftovers.end(self.command[0], [self.name])
        return super().ended(code)


def run(program: Program, what: str, limit: Optional[float] = None, answers_late: bool = False) -> int:
    """Run ``program`` to its end and return its exit code: 128 more than the number of the signal that ended it.

    Args:
        program: the program, not started yet.
        what: its name in messages.
        limit: the seconds after which it is ended; None for no limit.
        answers_late: whether it starts with Ctrl-C held back, and lets it through when it can clean up after itself.

    Raises:
        RunnerError: it had not ended after ``limit`` seconds, and was ended.
    """
    with _signals_passed_to(program) as started:
        if answers_late:
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        try:
            process = program.start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
        started()
        try:
            code = program.ended(process.wait(limit))
        except subprocess.TimeoutExpired:
            _end(program)
            raise RunnerError(
                f"{what} had not ended after {limit:g} s, which TIMEOUT sets as its limit, and was ended; nothing was "
                "left half-written"
            ) from None
    if code < 0:
        print(f"ferry: error: {what} was ended by {signal.Signals(-code).name}", file=sys.stderr)
        return 128 - code
    return code


def time_limit() -> Optional[float]:
    """The seconds that ``TIMEOUT`` gives a stage, or None where it is unset.

    Raises:
        RunnerError: it is no time.
    """
    given = os.environ.get("TIMEOUT", "")
    if not given:
        return None
    fits = TIME.fullmatch(given)
    seconds = float(fits.group(1)) * SECONDS[fits.group(2)] if fits else 0.0
    if seconds <= 0:
        raise RunnerError(f"TIMEOUT must be a time such as 90, 90s, 15m or 2h, not {given!r}")
    return seconds


def _end(program: Program) -> None:
    program.terminate()
    try:
        code = program.process.wait(GRACE)
    except subprocess.TimeoutExpired:
        program.kill()
        code = program.process.wait()
    program.ended(code)


@contextlib.contextmanager
def _signals_passed_to(program: Program) -> Iterator[Callable[[], None]]:
    """Pass on the signals that this process gets; those from before its start, once what is yielded is called."""
    early: List[Callable[[], None]] = []
    started = False

    def passing(act: Callable[[], None]) -> Callable[..., None]:
        def handle(*_: object) -> None:
            if not started:
                early.append(act)
            elif program.process.poll() is None:
                act()

        return handle

    def start() -> None:
        nonlocal started
        started = True
        for act in early:
            act()

    handlers = {signal.SIGINT: program.interrupt, signal.SIGTERM: program.terminate, signal.SIGHUP: program.terminate}
    before = {number: signal.getsignal(number) for number in handlers}
    try:
        for number, act in handlers.items():
            # What nohup has set to be ignored stays so.
            if before[number] != signal.SIG_IGN:
                signal.signal(number, passing(act))
        yield start
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _has_children() -> bool:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _children() -> Set[int]:
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The name before the last parenthesis may hold anything.
            if stat.read_text(errors="replace").rpartition(")")[2].split()[1] == str(os.getpid()):
                found.add(int(stat.parent.name))
    return found
