"""The format of PyTorch 0.1, written here as its ``torch.save`` wrote it."""

import io
import pickle
import struct
import tarfile

import pytest
import torch

from ferry.errors import InputFileError
from ferry.model import checkpoint_file

WEIGHT, VIEW = torch.arange(12, dtype=torch.float32).view(3, 4).t(), torch.arange(6, dtype=torch.int64)[2:5]


class _Naming(pickle.Pickler):
    def persistent_id(self, thing):
        return str(id(thing)) if torch.is_tensor(thing) else None


def members(held):
    """What the three members of an archive of the dictionary ``held`` hold."""
    storages, tensors, pickled = io.BytesIO(), io.BytesIO(), io.BytesIO()
    pickle.dump(len(held), storages, protocol=2)
    pickle.dump(len(held), tensors, protocol=2)
    for tensor in held.values():
        storage = tensor.storage()
        pickle.dump((id(tensor) + 1, "cuda:0", type(storage)), storages, protocol=2)
        storages.write(struct.pack("<q", len(storage)))
        storages.write(bytes(memoryview(torch.tensor(storage.tolist(), dtype=tensor.dtype).numpy())))
        pickle.dump((id(tensor), id(tensor) + 1, type(tensor)), tensors, protocol=2)
        shape, strides = tensor.shape, tensor.stride()
        tensors.write(struct.pack("<i", len(shape)) + bytes(4))
        tensors.write(struct.pack(f"<{2 * len(shape) + 1}q", *shape, *strides, tensor.storage_offset()))
    pickle.dump([], storages, protocol=2)
    _Naming(pickled, protocol=2).dump(held)
    return {"storages": storages.getvalue(), "tensors": tensors.getvalue(), "pickle": pickled.getvalue()}


def write(path, files, odd=None):
    """An archive of ``files``, the member ``odd.name`` being ``odd``."""
    with tarfile.open(path, "w:", format=tarfile.PAX_FORMAT) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            if odd is not None and odd.name == name:
                archive.addfile(odd)
            else:
                archive.addfile(member, io.BytesIO(data))


def test_its_tensors_are_read(tmp_path):
    held = {"weight": WEIGHT, "view": VIEW}
    write(tmp_path / "w.pth", members(held))
    read = checkpoint_file.load(str(tmp_path / "w.pth"))
    assert read["weight"].stride() == (1, 4)
    for name, tensor in held.items():
        assert torch.equal(read[name], tensor)


@pytest.mark.parametrize("kind", [tarfile.FIFOTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE])
@pytest.mark.parametrize("name", ["storages", "tensors", "pickle"])
def test_a_member_that_is_no_file_is_refused_and_made_nowhere(tmp_path, monkeypatch, kind, name):
    files = members({"weight": WEIGHT})
    odd = tarfile.TarInfo(name)
    odd.type, odd.linkname = kind, str(tmp_path / "secret")
    (tmp_path / "secret").write_bytes(files[name])
    write(tmp_path / "w.pth", files, odd)
    monkeypatch.setattr(tarfile.TarFile, "extract", None)
    with pytest.raises(InputFileError, match="w.pth is damaged"):
        checkpoint_file.load(str(tmp_path / "w.pth"))


@pytest.mark.parametrize("name", ["storages", "tensors", "pickle"])
def test_one_that_is_cut_short_is_damaged(tmp_path, name):
    files = members({"weight": WEIGHT})
    files[name] = files[name][:-9]
    write(tmp_path / "w.pth", files)
    with pytest.raises(InputFileError, match="w.pth is damaged"):
        checkpoint_file.load(str(tmp_path / "w.pth"))
