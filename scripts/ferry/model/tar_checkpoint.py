"""Read a checkpoint of the tar format that PyTorch wrote until 0.1.7, without unpacking it.

The archive has three members. ``storages`` holds each storage behind a pickled key; ``tensors`` the sizes and strides
of each tensor, behind a pickled key too; ``pickle`` is the object itself, which names tensors by those keys. The layout
is that of ``torch.serialization`` in PyTorch 1.5.1, which reads it by way of a temporary folder.
"""

import struct
import tarfile
from typing import IO, Any, BinaryIO, Dict, Tuple, Type

import torch


def is_one(file: BinaryIO) -> bool:
    """Whether ``file`` begins as an uncompressed tar archive does; it is left wherever it was read to."""
    try:
        with tarfile.open(fileobj=file, mode="r:"):
            return True
    except tarfile.TarError:
        return False


def load(file: BinaryIO, unpickler: Type[Any]) -> Any:
    """The object in ``file``, its tensors on the CPU.

    Args:
        file: the archive, at any position.
        unpickler: the class of ``pickle.Unpickler`` that is to read what is pickled.

    Raises:
        tarfile.TarError, KeyError, ValueError, pickle.UnpicklingError, struct.error: the archive is damaged.
    """
    file.seek(0)
    with tarfile.open(fileobj=file, mode="r:") as archive:
        storages = _storages(_member(archive, "storages"), unpickler)
        held = {**storages, **_tensors(_member(archive, "tensors"), unpickler, storages)}
        reader = unpickler(_member(archive, "pickle"))
        reader.persistent_load = lambda saved: saved[0] if isinstance(saved, tuple) else held[int(saved)]
        return reader.load()


def _member(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    member = archive.getmember(name)
    # extractfile() follows a link within the archive, and gives nothing for a FIFO.
    stream = archive.extractfile(member) if member.isreg() else None
    if stream is None:
        raise ValueError(f"{name} is no regular file in the archive")
    return stream


def _storages(stream: IO[bytes], unpickler: Type[Any]) -> Dict[int, Any]:
    found: Dict[int, Any] = {}
    for _ in range(unpickler(stream).load()):
        key, _location, kind = unpickler(stream).load()
        (count,) = struct.unpack("<q", stream.read(8))
        size = count * kind().element_size()
        data = stream.read(size)
        if count < 0 or len(data) != size:
            raise ValueError(f"storage {key} is cut short")
        found[key] = kind.from_buffer(data, byte_order="little") if count else kind()
    for key, root, offset, size in unpickler(stream).load():
        found[key] = found[root][offset : offset + size]
    return found


def _tensors(stream: IO[bytes], unpickler: Type[Any], storages: Dict[int, Any]) -> Dict[int, torch.Tensor]:
    found = {}
    for _ in range(unpickler(stream).load()):
        key, storage, _kind = unpickler(stream).load()
        shape, strides, offset = _layout(stream)
        found[key] = torch.tensor([], dtype=storages[storage].dtype).set_(storages[storage], offset, shape, strides)
    return found


def _layout(stream: IO[bytes]) -> Tuple[Tuple[int, ...], Tuple[int, ...], int]:
    # The number of dimensions takes eight bytes, of which four count.
    (dimensions,) = struct.unpack("<i4x", stream.read(8))
    if not 0 <= dimensions <= 64:
        raise ValueError(f"a tensor of {dimensions} dimensions")
    numbers = struct.unpack(f"<{2 * dimensions + 1}q", stream.read(8 * (2 * dimensions + 1)))
    return numbers[:dimensions], numbers[dimensions:-1], numbers[-1]
