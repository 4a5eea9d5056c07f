"""Checkpoints as they are found: nested, prefixed, of either format, damaged, hostile."""

import os
import pickle
import zipfile

import pytest
import torch

from ferry.errors import InputFileError
from ferry.model import state_dict


def net():
    return torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))


class Settings:
    """What training scripts leave in a checkpoint, and no later program knows."""


class Hostile:
    """Its unpickling would run a command."""

    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


SHAPES = {
    "a state dict": lambda weights: weights,
    "nested": lambda weights: {"epoch": 3, "state_dict": weights, "optimizer": {"state": {0: torch.ones(3)}}},
    "from DataParallel": lambda weights: {"model": {f"module.{key}": value for key, value in weights.items()}},
    "without its counters": lambda weights: {key: value for key, value in weights.items() if "num_" not in key},
    "beside an object of an unknown class": lambda weights: {"settings": Settings(), "net": weights},
}


@pytest.mark.parametrize("as_zip", [False, True], ids=["legacy", "zip"])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_it_is_loaded(tmp_path, shape, as_zip):
    trained, fresh, path = net(), net(), tmp_path / "w.pth"
    trained[1].running_mean.normal_()
    torch.save(shape(trained.state_dict()), str(path), _use_new_zipfile_serialization=as_zip)
    state_dict.load_into(fresh, str(path))
    for key, value in trained.state_dict().items():
        assert torch.equal(fresh.state_dict()[key], value), key


def test_the_zip_format_of_later_versions_is_read(tmp_path):
    # They add a byte order and an identifier, raise the version, and name the folder after the file.
    trained, fresh = net(), net()
    torch.save(trained.state_dict(), str(tmp_path / "old.pth"), _use_new_zipfile_serialization=True)
    with zipfile.ZipFile(tmp_path / "old.pth") as old, zipfile.ZipFile(tmp_path / "new.pth", "w") as new:
        for name in old.namelist():
            data = b"3\n" if name.endswith("/version") else old.read(name)
            new.writestr("new/" + name.split("/", 1)[1], data)
        new.writestr("new/byteorder", b"little")
        new.writestr("new/.data/serialization_id", b"1234")
    state_dict.load_into(fresh, str(tmp_path / "new.pth"))
    assert torch.equal(fresh[0].weight, trained[0].weight)


def test_every_dtype_of_a_zip_is_read(tmp_path):
    for dtype in (
        torch.float16,
        torch.float64,
        torch.int8,
        torch.uint8,
        torch.int16,
        torch.int32,
        torch.int64,
        torch.bool,
    ):
        wanted = torch.arange(6).reshape(2, 3).to(dtype)
        torch.save({"x": wanted.t()}, str(tmp_path / "w.pth"), _use_new_zipfile_serialization=True)
        found = state_dict.checkpoint_file.load(str(tmp_path / "w.pth"))["x"]
        assert found.dtype == dtype
        assert found.tolist() == wanted.t().tolist()


def misspelt(weights):
    return {key.replace("weight", "wieght"): value for key, value in weights.items()}


def narrower(weights):
    return {**weights, "0.bias": weights["0.bias"][:2]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (misspelt, "do not fit the model: it lacks 0.weight (it has 0.wieght), 1.weight (it has 1.wieght)"),
        (narrower, "0.bias is of shape [2], the model's of [4]"),
        (lambda weights: {**weights, "head.bias": torch.zeros(1)}, "the model has no head.bias"),
        (lambda weights: {"epoch": 3}, "holds no state dict but an object of type dict"),
        (lambda weights: net(), "holds no state dict but a pickled torch.nn.modules.container.Sequential"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, change, message):
    torch.save(change(net().state_dict()), str(tmp_path / "w.pth"))
    with pytest.raises(InputFileError) as raised:
        state_dict.load_into(net(), str(tmp_path / "w.pth"))
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("as_zip", [False, True], ids=["legacy", "zip"])
def test_nothing_in_a_checkpoint_is_run(tmp_path, as_zip):
    command = f"touch {tmp_path}/ran"
    torch.save(
        {"x": Hostile(command), "w": net().state_dict()}, str(tmp_path / "w.pth"), _use_new_zipfile_serialization=as_zip
    )
    state_dict.load_into(net(), str(tmp_path / "w.pth"))
    (tmp_path / "bare.pth").write_bytes(pickle.dumps(Hostile(command)))
    with pytest.raises(InputFileError, match="is damaged, or is no checkpoint"):
        state_dict.load_into(net(), str(tmp_path / "bare.pth"))
    assert not (tmp_path / "ran").exists()


def damaged(path, damage):
    torch.save(net().state_dict(), str(path), _use_new_zipfile_serialization=damage != "legacy cut short")
    data = path.read_bytes()
    if "cut short" in damage:
        path.write_bytes(data[: len(data) // 2])
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "text":
        path.write_text("see the wiki")
    elif damage == "compressed":
        with zipfile.ZipFile(path) as old:
            entries = {name: old.read(name) for name in old.namelist()}
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
            for name, value in entries.items():
                new.writestr(name, value)
    elif damage == "another zip":
        with zipfile.ZipFile(path, "w") as new:
            new.writestr("readme.txt", "hello")
    elif damage == "a storage cut short":
        with zipfile.ZipFile(path) as old:
            entries = {name: old.read(name) for name in old.namelist()}
        with zipfile.ZipFile(path, "w") as new:
            for name, value in entries.items():
                new.writestr(name, value[:-4] if "/data/" in name else value)


@pytest.mark.parametrize(
    "damage",
    ["cut short", "legacy cut short", "empty", "text", "compressed", "another zip", "a storage cut short"],
)
def test_a_damaged_one_is_one_clear_line(tmp_path, damage):
    damaged(tmp_path / "w.pth", damage)
    with pytest.raises(InputFileError, match=r"damaged|no checkpoint|compressed") as raised:
        state_dict.load_into(net(), str(tmp_path / "w.pth"))
    assert "\n" not in str(raised.value)


def test_a_missing_one_and_a_torchscript_model_are_told_apart(tmp_path):
    with pytest.raises(InputFileError, match=r"cannot read the weights .*: No such file"):
        state_dict.load_into(net(), str(tmp_path / "gone.pth"))
    torch.jit.script(net()).save(str(tmp_path / "m.pth"))
    with pytest.raises(InputFileError, match="is a TorchScript model, not its weights"):
        state_dict.load_into(net(), str(tmp_path / "m.pth"))
