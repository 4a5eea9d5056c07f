import pytest

from programs import run_python

pytestmark = pytest.mark.fast

PROGRAM = """
    import argparse, os, sys
    from ferry import errors, stage

    def body(arguments, console):
        os.write(2, b"from the library\\n")
        console.print("one line")
        {raised}
        return 0

    arguments = argparse.Namespace(log=None)
    terminal = os.dup(1)
    code = stage.run("name", arguments, sys.argv[1] + "/target", body)
    os.write(terminal, f"code {{code}}".encode())
"""


def run_body(folder, raised="pass", env=None):
    done = run_python(PROGRAM.format(raised=raised), folder, env=env)
    return done, folder / "logs" / "name.log"


def test_only_the_console_reaches_the_terminal(tmp_path):
    done, log = run_body(tmp_path)
    assert done.stdout.splitlines()[0] == "one line"
    assert done.stderr == ""
    assert "from the library" in log.read_text()


def test_verbose_shows_all(tmp_path):
    done, log = run_body(tmp_path, env={"VERBOSE": "1"})
    assert "from the library" in done.stderr
    assert not log.exists()


@pytest.mark.parametrize(
    ("raised", "message"),
    [
        ("raise errors.InputFileError('[brackets] in a message')", "name: error: [brackets] in a message"),
        ("raise KeyboardInterrupt", "name: error: interrupted; nothing was left half-written"),
        ("raise MemoryError", "name: error: out of memory"),
        ("raise OSError(28, 'No space left', 'some/file')", "name: error: no room left on the disk: some/file"),
        ("raise OSError(13, 'Permission denied', 'some/file')", "name: error: Permission denied: some/file"),
        ("1 / 0", "this should not have happened, and is a fault in Ferry at "),
        ("1 / 0", ": ZeroDivisionError: division by zero"),
        ("raise errors.FaultElsewhere(f'{errors.FAULT} at there.py:3')", "error: this should not have happened, and"),
    ],
)
def test_whatever_is_raised_becomes_one_message(tmp_path, raised, message):
    done, _ = run_body(tmp_path, raised)
    assert message in done.stderr
    assert "Traceback" not in done.stderr


HOSTILE = "\\x1b]0;owned\\x07\\x1b[2J\\nname: passed\\u202e"
SHOWN = "\\x1b]0;owned\\x07\\x1b[2J"


@pytest.mark.parametrize("error", ["errors.InputFileError", "ValueError", "MemoryError", "OSError"])
def test_no_escape_sequence_of_an_error_reaches_the_terminal(tmp_path, error):
    done, _ = run_body(tmp_path, f"raise {error}('{HOSTILE}')")
    shown = done.stdout + done.stderr
    assert [c for c in shown if c != "\n" and not c.isprintable()] == []
    assert (SHOWN in done.stderr) == (error != "MemoryError")
    assert not any(line.startswith("name: passed") for line in shown.splitlines())


def test_no_escape_sequence_of_a_line_reaches_the_terminal(tmp_path):
    done, _ = run_body(tmp_path, f"console.print('input {HOSTILE} [b]', markup=False)")
    assert done.stdout.splitlines()[1] == f"input {SHOWN}\\nname: passed\\u202e [b]"


def test_an_unforeseen_error_keeps_its_traceback_in_the_log(tmp_path):
    done, log = run_body(tmp_path, "1 / 0")
    assert "ZeroDivisionError" in log.read_text()
    assert f"the details are in {log}" in done.stderr


def test_the_exit_code_is_the_errors(tmp_path):
    done, _ = run_body(tmp_path, "raise errors.VerificationError('no')")
    assert "code 1" in done.stdout
    done, _ = run_body(tmp_path, "raise KeyboardInterrupt")
    assert "code 130" in done.stdout
