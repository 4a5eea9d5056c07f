"""A model file is a stranger's program in a virtual environment too, where bubblewrap works: what it cannot reach."""

import hashlib
import json
import os
import re
import shutil
import sys

import pytest

from bubblewrap import must_work
from programs import KEPT_OUT, ROOT, run
from terminal import in_a_terminal

STRANGER = """
import json, os, socket, sys
import torch
from torch.utils.data import DataLoader

def attempt(code):
    try:
        eval(code, {"open": open, "os": os, "socket": socket})
        return "done"
    except OSError as error:
        return type(error).__name__ + ": " + error.strerror

def get_pytorch_model():
    deeds = json.load(open(os.path.join(os.path.dirname(__file__), "deeds.json")))
    # The log is published, whatever becomes of the stage.
    print("DEEDS", json.dumps({deed: attempt(code) for deed, code in deeds.items()}))
    print("SEEN", json.dumps(dict(os.environ)))
    # The workers are forked, and share memory.
    layer = torch.nn.Linear(4, 4)
    drawn = torch.stack(list(DataLoader(torch.arange(16.0).reshape(4, 4), batch_size=None, num_workers=2)))
    layer.weight.data.copy_(drawn)
    layer.bias.data.zero_()
    return layer.eval()

def get_example_input():
    return torch.ones(1, 4)
"""
READ_ONLY, NOT_THERE = "OSError: Read-only file system", "FileNotFoundError: No such file or directory"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of the checkout that shares its environments."""
    must_work()
    folder = tmp_path_factory.mktemp("a folder with spaces") / "the checkout"
    shutil.copytree(str(ROOT), str(folder), ignore=KEPT_OUT)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    return folder


def make(checkout, *arguments, **options):
    env = {"AWS_SECRET_ACCESS_KEY": "a secret", **options.pop("env", {})}
    return run("make", "RUNNER=venv", *arguments, cwd=str(checkout), env=env, **options)


def said(checkout, word):
    """What the stranger has printed after ``word``."""
    log = (checkout / "build" / "stranger" / "logs" / "export_onnx.log").read_text()
    (line,) = (line for line in log.splitlines() if line.startswith(word + " "))
    return json.loads(line[len(word) :])


@pytest.fixture(scope="module")
def outside(checkout):
    """A file in a home, and the deeds that a stranger attempts, each with what it is answered."""
    home = checkout.parent / "home"
    home.mkdir()
    (home / "id_ed25519").write_text("a private key")
    (checkout / "build" / "other").mkdir(parents=True)
    deeds = {
        "open a socket": ("socket.create_connection(('192.0.2.1', 80), 5)", "OSError: Network is unreachable"),
        "read the caller's home": (f"open({str(home / 'id_ed25519')!r})", NOT_THERE),
        "list the home": ("os.listdir(os.path.expanduser('~root/.ssh'))", NOT_THERE),
        "read the passwords": ("open('/etc/shadow')", NOT_THERE),
        "read the checkout's history": (f"os.listdir({str(checkout / '.git')!r})", NOT_THERE),
        "read another model's folder": (f"os.listdir({str(checkout / 'build' / 'other')!r})", NOT_THERE),
        "write beside the models": (f"open({str(checkout / 'models' / 'planted.py')!r}, 'w')", READ_ONLY),
        "write beside the scripts": (f"open({str(checkout / 'scripts' / 'planted.py')!r}, 'w')", READ_ONLY),
        "write to the environment": ("open(os.path.dirname(torch_file) + '/planted.py', 'w')", READ_ONLY),
        "write to the root": ("open('/planted', 'w')", READ_ONLY),
        "be root again": ("os.setuid(12345)", "OSError: Invalid argument"),
        "set what the kernel starts": ("open('/proc/sys/kernel/core_pattern', 'w')", READ_ONLY),
    }
    return {
        deed: (code.replace("torch_file", "__import__('torch').__file__"), answer)
        for deed, (code, answer) in deeds.items()
    }


@pytest.fixture(scope="module")
def converted(checkout, outside):
    """What the three stages make of a stranger's model in the sandbox, as digests by name."""
    (checkout / "models" / "stranger.py").write_text(STRANGER)
    attempt(checkout, {deed: code for deed, (code, _) in outside.items()})
    done = make(checkout, "tflite", "MODEL=stranger", "SANDBOX=bwrap")
    assert done.returncode == 0, done.stderr
    return digests(checkout)


def attempt(checkout, deeds):
    """Have the stranger do these deeds the next time."""
    (checkout / "models" / "deeds.json").write_text(json.dumps(deeds))


def digests(checkout):
    folder = checkout / "build" / "stranger"
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("model.*")}


def test_it_cannot(checkout, outside, converted):
    assert said(checkout, "DEEDS") == {deed: answer for deed, (_, answer) in outside.items()}


def test_it_sees_none_of_the_callers_secrets(checkout, converted):
    seen = said(checkout, "SEEN")
    assert "AWS_SECRET_ACCESS_KEY" not in seen
    assert (seen["HOME"], seen["USER"]) == ("/tmp", "ferry")


def test_what_it_writes_outside_of_its_airlock_is_nowhere(checkout, converted):
    for folder in ("build", "build/stranger", "models", "scripts"):
        assert not list((checkout / folder).glob("planted*"))


def test_the_bytes_are_the_same_without_a_sandbox(checkout, outside, converted):
    assert set(converted) == {"model.onnx", "model.pb", "model.tflite"}
    shutil.rmtree(str(checkout / "build" / "stranger"))
    reading = "read the caller's home"
    attempt(checkout, {reading: outside[reading][0]})
    done = make(checkout, "tflite", "MODEL=stranger", "SANDBOX=none")
    assert done.returncode == 0, done.stderr
    assert digests(checkout) == converted
    # There a model file can do what its user can, so that the tests above would see a sandbox that is none.
    assert said(checkout, "DEEDS") == {reading: "done"}


def test_the_progress_bar_shows_at_a_terminal(checkout, converted):
    verify = ["make", "verify", "MODEL=stranger", "SAMPLES=20", "RUNNER=venv", "SANDBOX=bwrap"]
    code, shown = in_a_terminal(verify, checkout)
    assert code == 0, shown
    assert re.search(r"verify .*\x1b\[[\d;]+m[━╸╺]+", shown), shown


@pytest.fixture()
def without_bubblewrap(checkout, tmp_path):
    """A copy of the checkout with an environments' folder of its own, and a PATH that has all but bubblewrap."""
    (tmp_path / "ferry" / ".venv").mkdir(parents=True)
    for environment in (ROOT / ".venv").iterdir():
        if environment.is_dir():
            (tmp_path / "ferry" / ".venv" / environment.name).symlink_to(environment)
    for entry in checkout.iterdir():
        if entry.name not in (".venv", "build"):
            (shutil.copytree if entry.is_dir() else shutil.copy)(str(entry), str(tmp_path / "ferry" / entry.name))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").symlink_to(os.path.realpath(sys.executable))
    for folder in ("/usr/bin", "/bin"):
        for name in os.listdir(folder):
            link = tmp_path / "bin" / name
            if name != "bwrap" and not os.path.lexists(str(link)):
                link.symlink_to(os.path.join(folder, name))
    return tmp_path / "ferry", {"PATH": str(tmp_path / "bin")}


def test_without_bubblewrap_one_line_says_so_and_nothing_else_changes(without_bubblewrap):
    folder, env = without_bubblewrap
    (folder / "models" / "plain.py").write_text(
        "import torch\ndef get_pytorch_model():\n    return torch.nn.ReLU().eval()\n"
        "def get_example_input():\n    return torch.ones(1, 4)\n"
    )
    done = make(folder, "tf", "MODEL=plain", env=env)
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stderr.splitlines() if "sandbox" in line] == [
        "ferry: the stages run without a sandbox, so a model file can do what you can: `make doctor` says why"
    ]
    done = make(folder, "tflite", "MODEL=plain", "SANDBOX=bwrap", env=env)
    assert done.returncode != 0
    assert "ferry: error: SANDBOX=bwrap does not work here: there is no `bwrap` on PATH" in done.stderr


def test_one_that_hangs_is_ended_and_named(checkout):
    (checkout / "models" / "hangs.py").write_text("import time\ntime.sleep(600)\n")
    done = make(checkout, "onnx", "MODEL=hangs", "TIMEOUT=3", timeout=120)
    assert done.returncode != 0
    assert "ferry: error: export_onnx of hangs had not ended after 3 s, which TIMEOUT sets as its limit" in done.stderr
    assert not (checkout / "build" / "hangs" / "model.onnx").exists()
    assert os.listdir(str(checkout / "build" / ".work")) == []
