"""A model file is a stranger's program: what it cannot reach from inside a container."""

import os
import textwrap

import pytest

from programs import run

pytestmark = pytest.mark.slow

MODEL = """
import torch

def get_pytorch_model():
    {deed}
    return torch.nn.ReLU()

def get_example_input():
    return torch.ones(1, 4)
"""
DEEDS = {
    "open a socket": ("import socket; socket.create_connection(('192.0.2.1', 80), 5)", "Network is unreachable"),
    "resolve a name": ("import socket; socket.getaddrinfo('localhost.example', 80)", "gaierror"),
    "write beside the scripts": ("open('/ferry/scripts/planted.py', 'w')", "Read-only file system"),
    "write to the root": ("open('/planted', 'w')", "Read-only file system"),
    "write beside the models": ("open('/ferry/models/planted.py', 'w')", "Read-only file system"),
    "write to another model's folder": ("open('/ferry/build/planted', 'w')", "Read-only file system"),
    "read the caller's home": ("open({secret!r}).read()", "No such file or directory"),
    "become another user": ("import os; os.setuid(12345)", "Operation not permitted"),
}


def write_model(checkout, deed):
    (checkout / "models" / "stranger.py").write_text(textwrap.dedent(MODEL).format(deed=deed))


@pytest.fixture()
def secret(tmp_path):
    path = tmp_path / "id_ed25519"
    path.write_text("a private key")
    return str(path)


@pytest.mark.parametrize("deed", DEEDS)
def test_it_cannot(engine, image, checkout, secret, deed):
    code, refusal = DEEDS[deed]
    write_model(checkout, code.format(secret=secret))
    done = run("make", "onnx", "MODEL=stranger", f"RUNNER={engine.name}", cwd=str(checkout))
    assert done.returncode == 2
    assert "get_pytorch_model() failed at line 5" in done.stderr
    assert refusal in done.stderr
    assert not (checkout / "build" / "stranger" / "model.onnx").exists()


def test_the_same_file_without_the_deed_is_converted(engine, image, checkout):
    write_model(checkout, "pass")
    done = run("make", "onnx", "MODEL=stranger", f"RUNNER={engine.name}", cwd=str(checkout))
    assert done.returncode == 0, done.stderr
    (checkout / "build" / "stranger" / "model.onnx").unlink()


def inside(engine, checkout, program, *arguments, **options):
    runner = ["python3", checkout / "scripts" / "runners", "run", engine.name]
    return run(*runner, "-c", textwrap.dedent(program), *arguments, cwd=str(checkout), **options)


def test_it_has_no_capability_and_cannot_get_one(engine, image, checkout):
    done = inside(engine, checkout, "print(open('/proc/self/status').read())")
    status = dict(line.split(":\t", 1) for line in done.stdout.splitlines() if ":\t" in line)
    assert {name: int(status[name], 16) for name in ("CapEff", "CapPrm", "CapBnd", "CapInh")} == dict.fromkeys(
        ("CapEff", "CapPrm", "CapBnd", "CapInh"), 0
    )
    assert status["NoNewPrivs"] == "1"
    assert status["Uid"].split()[0] == str(os.getuid())


def test_only_what_the_stage_uses_is_mounted(engine, image, checkout):
    # The log is what a model file can say to the tests.
    write_model(checkout, "print(open('/proc/self/mountinfo').read())")
    done = run("make", "onnx", "MODEL=stranger", f"RUNNER={engine.name}", cwd=str(checkout))
    assert done.returncode == 0, done.stderr
    log = (checkout / "build" / "stranger" / "logs" / "export_onnx.log").read_text()
    mounts = [line.split() for line in log.splitlines() if " /ferry/" in line]
    modes = {words[4]: words[5].split(",")[0] for words in mounts}
    (writable,) = [path for path, mode in modes.items() if mode == "rw"]
    assert writable.startswith("/ferry/build/.work/export_onnx-")
    assert {path for path, mode in modes.items() if mode == "ro"} == {"/ferry/models"}


def test_memory_that_runs_wild_ends_the_stage_and_says_so(engine, image, checkout):
    wild = "x = bytearray(10**9)\nfor i in range(0, len(x), 4096): x[i] = 1"
    done = inside(engine, checkout, wild, env={"MEMORY": "256m"})
    assert done.returncode == 1
    assert "was killed, most likely for want of memory; MEMORY=8g allows it 8 GB" in done.stderr


def test_processes_that_run_wild_are_stopped(engine, image, checkout):
    wild = """
        import os, time
        try:
            for made in range(5000):
                if os.fork() == 0:
                    time.sleep(60)
                    os._exit(0)
        except OSError as error:
            print("stopped", made, error.strerror)
    """
    done = inside(engine, checkout, wild)
    assert "stopped" in done.stdout, done.stderr
