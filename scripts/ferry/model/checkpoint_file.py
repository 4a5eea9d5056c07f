"""Read a checkpoint, as any PyTorch since 0.1 writes it, without running what is in it.

A ``.pth`` is a pickle, and unpickling calls whatever the file names. Here only what tensors are rebuilt with is called;
anything else, an optimizer's settings or a logger, becomes an inert ``Unknown``. PyTorch 1.5.1 refuses the zip format
that 1.6 and later write, so that one is read here: https://pytorch.org/docs/stable/notes/serialization.html.
"""

import collections
import pickle
import zipfile
from types import SimpleNamespace
from typing import Any, BinaryIO, Dict

import torch

from ferry import regular_file
from ferry.errors import InputFileError
from ferry.model import safetensors_file, tar_checkpoint

RESAVE = "torch.save(model.state_dict(), 'weights.pth')"
_REBUILDING = {
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("torch", "Size"): torch.Size,
    ("torch._utils", "_rebuild_tensor"): torch._utils._rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v2"): torch._utils._rebuild_tensor_v2,
    ("torch._utils", "_rebuild_parameter"): torch._utils._rebuild_parameter,
}


class Unknown:
    """What stands for an object of a class or function that a checkpoint names and that tensors do not need."""

    name = ""
    # torch.load asks a pickled module for it.
    dump_patches = False

    def __new__(cls, *_arguments, **_named):
        return super().__new__(cls)

    def __init__(self, *_arguments, **_named):
        self.state: Dict[Any, Any] = {}

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def append(self, value: Any) -> None:
        """Take an element as a list would."""

    def extend(self, values: Any) -> None:
        """Take elements as a list would."""


class Unpickler(pickle.Unpickler):
    """Unpickles tensors and plain Python values; all else comes out as ``Unknown``."""

    def find_class(self, module: str, name: str) -> Any:
        """What a pickle may call for ``module.name``."""
        if (module, name) in _REBUILDING:
            return _REBUILDING[module, name]
        if module == "torch" and (name.endswith("Storage") or isinstance(getattr(torch, name, None), torch.dtype)):
            found = getattr(torch, name, None)
            if found is not None:
                return found
        return type("Unknown", (Unknown,), {"name": f"{module}.{name}"})


def load(path: str) -> Any:
    """What ``path`` holds, its tensors on the CPU.

    Raises:
        InputFileError: the file is missing, damaged, or no checkpoint.
    """
    if path.endswith(safetensors_file.SUFFIX):
        return safetensors_file.load(path)
    try:
        with regular_file.open_for_reading(path) as file:
            if zipfile.is_zipfile(file):
                file.seek(0)
                return _load_zip(path, file)
            file.seek(0)
            if tar_checkpoint.is_one(file):
                # torch.load would unpack it into a folder, links and all.
                return tar_checkpoint.load(file, Unpickler)
            file.seek(0)
            return torch.load(file, map_location="cpu", pickle_module=_pickle_module())
    except InputFileError:
        raise
    except OSError as error:
        raise InputFileError(f"cannot read the weights {path}: {error.strerror}") from error
    except Exception as error:  # A damaged pickle raises whatever its bytes lead to.
        raise InputFileError(f"{path} is damaged, or is no checkpoint of PyTorch's; `{RESAVE}` writes one") from error


def _pickle_module() -> Any:
    # torch.load asks for its name, to tell dill from pickle.
    return SimpleNamespace(
        __name__="pickle", Unpickler=Unpickler, load=lambda file, **options: Unpickler(file, **options).load()
    )


def _load_zip(path: str, file: BinaryIO) -> Any:
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
        names = {entry.filename for entry in entries}
        pickled = next((name for name in names if name.split("/")[1:] == ["data.pkl"]), None)
        if pickled is None:
            raise InputFileError(f"{path} is a zip file, but no checkpoint of PyTorch's; `{RESAVE}` writes one")
        folder = pickled.split("/")[0]
        if f"{folder}/constants.pkl" in names:
            raise InputFileError(f"{path} is a TorchScript model, not its weights; MODEL={path} converts it (as a .pt)")
        # PyTorch never compresses tensors; what unpacks to more than it is could fill the memory.
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
            raise InputFileError(f"{path} is a compressed zip file; PyTorch does not write such checkpoints")
        if f"{folder}/byteorder" in names and archive.read(f"{folder}/byteorder") != b"little":
            raise InputFileError(f"{path} was written on a big-endian machine; `{RESAVE}` on this one helps")
        storages: Dict[str, Any] = {}

        def storage(identifier: Any) -> Any:
            _, kind, key, _, count = identifier
            if key not in storages:
                data = archive.read(f"{folder}/data/{key}")
                if len(data) != count * kind().element_size():
                    raise ValueError(f"storage {key} is not of {count} elements")
                storages[key] = kind.from_buffer(data, byte_order="little") if count else kind()
            return storages[key]

        with archive.open(pickled) as stream:
            unpickler = Unpickler(stream)
            unpickler.persistent_load = storage  # type: ignore
            return unpickler.load()
