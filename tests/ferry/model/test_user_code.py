"""A model file may fork, and what it forks ends with the stage; what it imports is found, and its line named."""

import os
import sys
import time

import pytest

from ferry.errors import ModelFileError
from ferry.model import user_code
from programs import run_python, run_stage, write_model

LOADER = """\
import multiprocessing
import os
import sys
import torch


class Numbers(torch.utils.data.Dataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        return torch.full((1, 3), float(index))


def square(number):
    return number * number


def get_pytorch_model():
    net = torch.nn.Linear(3, 3)
    with torch.no_grad():
        for batch in torch.utils.data.DataLoader(Numbers(), num_workers=2):
            net.weight.add_(batch[0].sum() / 100)
        with multiprocessing.Pool(2) as pool:
            net.bias.fill_(sum(pool.map(square, range(4))))
    for end in (lambda: os._exit(0), lambda: sys.exit(0), lambda: None, lambda: 1 / 0):
        forked = os.fork()
        if not forked:
            return end()
        net.bias.data.add_(os.waitpid(forked, 0)[1])
    return net.eval()


def get_example_input():
    return torch.zeros(1, 3)
"""


def test_a_model_file_that_forks_is_exported_and_opened_by_a_worker(tmp_path):
    model = tmp_path / "forks.py"
    model.write_text(LOADER)
    done = run_stage("export_onnx", "--model", model, "--output", tmp_path / "model.onnx")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1, done.stdout
    answered = run_python(
        """
        from ferry.model.model_source import ModelSource
        from ferry.verify.reference_worker import ReferenceWorker
        from ferry.worker import Worker
        if __name__ == "__main__":
            worker = Worker("reference", ReferenceWorker, ModelSource(sys.argv[1]))
            print(worker.answer()["inputs"][0].shape)
            worker.close()
        """,
        model,
    )
    assert "(1, 3)" in answered.stdout


def test_a_forked_process_ends_with_the_stage(tmp_path):
    model = write_model(tmp_path / "m.py", "x * 2")
    left = tmp_path / "left"
    fork = "import os, time\nif not os.fork():\n    open({!r}, 'w').write(str(os.getpid()))\n    time.sleep(600)\n"
    wait = "while not (os.path.exists({0!r}) and open({0!r}).read()):\n    time.sleep(0.01)\n"
    model.write_text(
        (fork + wait).replace("{0!r}", repr(str(left))).replace("{!r}", repr(str(left))) + model.read_text()
    )
    done = run_stage("export_onnx", "--model", model, "--output", tmp_path / "model.onnx", timeout=60)
    assert done.returncode == 0, done.stderr
    assert _has_ended(int(left.read_text()))


def _has_ended(process: int) -> bool:
    for _ in range(100):
        try:
            with open(f"/proc/{process}/stat") as file:
                if file.read().rsplit(")", 1)[1].split()[0] == "Z":
                    return True
        except FileNotFoundError:
            return True
        time.sleep(0.05)
    os.kill(process, 9)
    return False


def test_a_line_of_a_module_beside_the_file_is_named(tmp_path, monkeypatch):
    (tmp_path / "beside.py").write_text("def build():\n    return {}['weights']\n")
    model = tmp_path / "m.py"
    model.write_text("import beside\n\n\ndef get_pytorch_model():\n    return beside.build()\n")
    monkeypatch.setattr(sys, "path", list(sys.path))
    source = user_code.import_file(str(model))
    with pytest.raises(ModelFileError, match=r"failed at line 5 in .*beside\.py:2: KeyError: 'weights'"):
        user_code.call(str(model), source, "get_pytorch_model")


def test_packages_that_requirements_name_are_found_last(tmp_path, monkeypatch):
    site = tmp_path / "packages" / "site"
    site.mkdir(parents=True)
    (site / "named_by_requirements.py").write_text("VALUE = 3\n")
    (site / "torch.py").write_text("raise RuntimeError('found instead of PyTorch')\n")
    model = tmp_path / "m.py"
    model.write_text("import torch\nimport named_by_requirements\n")
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("FERRY_PACKAGES", str(tmp_path / "packages"))
    assert user_code.import_file(str(model)).named_by_requirements.VALUE == 3


SPAWNS = """\
import multiprocessing
import torch


def weight(number):
    return float(number)


def get_pytorch_model():
    linear = torch.nn.Linear(2, 1)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        linear.weight.data = torch.tensor([pool.map(weight, [1, 2])])
    return linear.eval()


def get_example_input():
    return torch.zeros(1, 2)
"""


def test_a_model_file_may_spawn_processes(tmp_path):
    model = tmp_path / "spawns.py"
    model.write_text(SPAWNS)
    done = run_stage("export_onnx", "--model", model, "--output", tmp_path / "model.onnx", timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "deed",
    [
        "raise OSError(errno.ENETUNREACH, 'Network is unreachable')",
        "raise urllib.error.URLError(socket.gaierror(-3, 'Temporary failure in name resolution'))",
        "try:\n    raise socket.gaierror(-2, 'not known')\nexcept OSError:\n    raise OSError('gone')",
    ],
)
def test_a_download_without_a_network_says_what_to_do(tmp_path, deed):
    model = tmp_path / "downloads.py"
    model.write_text(f"import errno, socket, urllib.error\n{deed}\n")
    with pytest.raises(ModelFileError, match="a stage has no network; .* give their file as WEIGHTS="):
        user_code.import_file(str(model))


def test_another_error_says_nothing_of_a_network(tmp_path):
    model = tmp_path / "missing.py"
    model.write_text("open('not/there')\n")
    with pytest.raises(ModelFileError) as raised:
        user_code.import_file(str(model))
    assert "network" not in str(raised.value)
