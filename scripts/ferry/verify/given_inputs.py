"""The inputs a user gives, by ``INPUTS=`` or the model file's ``get_inputs``: checked, and put where all can map them.

Whatever they come as, they pass through one at a time into one ``.npy`` file an input, so that the processes that run
the model each read their own, and a decoder or a generator runs once. Nothing is ever unpickled.
"""

import hashlib
import itertools
import os
import zipfile
from typing import Any, Callable, Iterable, Iterator, List, Optional, Sequence

import numpy as np
from numpy.lib import format as npy

from ferry import regular_file
from ferry.errors import VerificationError
from ferry.runtimes import TensorSpec
from ferry.verify import npz
from ferry.verify.input_source import StoredArray, StoredInputs

READ_BYTES = 1 << 24


def from_file(path: str, specs: List[TensorSpec], limit: int, folder: str) -> StoredInputs:
    """The samples in the ``.npz`` or ``.npy`` file ``path``, ``limit`` of them at most, by way of ``folder``.

    An ``.npz`` holds one array an input, named as it; an ``.npy`` is for a model with one. Each array is
    [samples, *the input's shape], where an input's leading 1, its batch, may be left out.

    Raises:
        VerificationError: the file is missing, is none of the two or is cut short; an array is of another shape or
            dtype, holds objects, NaN or infinity; the arrays hold different numbers of samples.
    """
    if not os.path.exists(path):
        raise VerificationError(f"there is no file or folder {path}")
    try:
        if path.endswith(".npy"):
            if len(specs) != 1:
                raise VerificationError(
                    f"{path} holds one array and the model has {len(specs)} inputs: give an .npz with "
                    f"{', '.join(spec.name for spec in specs)}"
                )
            with regular_file.open_for_reading(path) as file:
                return _stored(path, specs, [_ArrayReader(file, path)], limit, folder)
        if path.endswith(".npz"):
            with regular_file.open_for_reading(path) as file, zipfile.ZipFile(file) as archive:
                return _stored(path, specs, _members(path, archive, specs), limit, folder)
    except OSError as error:
        raise VerificationError(f"cannot read the inputs {path}: {error.strerror or error}") from error
    except (ValueError, EOFError, zipfile.BadZipFile, zipfile.LargeZipFile) as error:
        raise VerificationError(f"{path} is not a whole NumPy file: {error}") from error
    raise VerificationError(f"{path} is no .npz, no .npy and no folder of images")


def from_samples(
    samples: Iterable[Sequence[np.ndarray]], named: str, path: str, specs: List[TensorSpec], limit: int, folder: str
) -> StoredInputs:
    """The samples that an iterable gives, one array an input each, ``limit`` of them at most, by way of ``folder``.

    ``named`` tells the reader what they are, ``path`` where they are from.

    Raises:
        VerificationError: there is none, or one does not fit the model.
    """
    # Named by position: a tensor may bear any name, that of a path out of the folder too.
    writers = [_Writer(os.path.join(folder, f"input_{position}.npy"), spec) for position, spec in enumerate(specs)]
    count = 0
    try:
        for arrays in itertools.islice(samples, limit):
            if len(arrays) != len(specs):
                raise VerificationError(f"{named}: sample {count} has {len(arrays)} inputs, and the model {len(specs)}")
            for writer, array in zip(writers, arrays):
                writer.write(f"{named}: sample {count}", np.asarray(array))
            count += 1
        if not count:
            raise VerificationError(f"{named} gave no inputs")
        for writer in writers:
            writer.finish(count)
    finally:
        for writer in writers:
            writer.close()
    digest = hashlib.sha256("".join(writer.digest.hexdigest() for writer in writers).encode()).hexdigest()
    description = {"kind": "given", "text": named, "path": path, "sha256": digest, "seed": None}
    return StoredInputs([writer.stored for writer in writers], count, description)


def _stored(path: str, specs: List[TensorSpec], readers: List["_ArrayReader"], limit: int, folder: str) -> StoredInputs:
    counts = {reader.samples_for(spec) for reader, spec in zip(readers, specs)}
    if len(counts) > 1:
        raise VerificationError(f"the arrays of {path} hold different numbers of samples: {sorted(counts)}")
    samples = zip(*(reader.rows(spec) for reader, spec in zip(readers, specs)))
    return from_samples(samples, os.path.basename(path), path, specs, limit, folder)


def _members(path: str, archive: zipfile.ZipFile, specs: List[TensorSpec]) -> List["_ArrayReader"]:
    held = {name[: -len(".npy")]: name for name in archive.namelist() if name.endswith(".npy")}
    names = [spec.name for spec in specs]
    # As the tensor is named, or as Ferry itself calls it in an archive.
    wanted = [name if name in held else member for name, member in zip(names, npz.member_names(names))]
    if len(held) == len(wanted) == 1:
        wanted = list(held)
    missing = [name for name in wanted if name not in held]
    if missing:
        raise VerificationError(
            f"{path} has no array {', '.join(missing)}; it holds {', '.join(sorted(held)) or 'none'}, and the model's "
            f"inputs are {', '.join(names)}"
        )
    return [_ArrayReader(archive.open(held[name]), f"{path}: {name}") for name in wanted]


class _ArrayReader:
    """An array in NumPy's format, read row by row from a file that need not seek."""

    def __init__(self, file: Any, named: str):
        self._file, self._named = file, named
        version = npy.read_magic(file)
        header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        self._shape, self._by_columns, self._dtype = header(file)
        if self._dtype.hasobject:
            raise VerificationError(f"{named} is an array of objects, which is a pickle, and is not read")
        if self._by_columns and len(self._shape) > 1:
            raise VerificationError(f"{named} is stored by columns; save numpy.ascontiguousarray of it")

    def samples_for(self, spec: TensorSpec) -> int:
        """How many samples of an input there are."""
        shapes = [tuple(spec.shape)] + ([tuple(spec.shape[1:])] if spec.shape[:1] == (1,) else [])
        if self._shape[1:] not in shapes or not self._shape:
            wanted = " or ".join(str(["N", *shape]).replace("'", "") for shape in shapes)
            raise VerificationError(f"{self._named} has shape {list(self._shape)}; input {spec.name} needs {wanted}")
        return int(self._shape[0])

    def rows(self, spec: TensorSpec) -> Iterator[np.ndarray]:
        """One sample after another."""
        size = int(np.prod(self._shape[1:], dtype=np.int64)) * self._dtype.itemsize
        for position in range(self._shape[0]):
            data = self._read(size)
            if len(data) < size:
                raise VerificationError(f"{self._named} is cut short: it ends in sample {position} of {self._shape[0]}")
            yield np.frombuffer(data, self._dtype).reshape(spec.shape)

    def _read(self, size: int) -> bytes:
        parts: List[bytes] = []
        while size:
            part = self._file.read(min(size, READ_BYTES))
            if not part:
                break
            parts.append(part)
            size -= len(part)
        return b"".join(parts)


class _Writer:
    """One input's samples, checked and written as they come."""

    def __init__(self, path: str, spec: TensorSpec):
        self.stored = StoredArray(path, tuple(spec.shape), spec.dtype)
        self.digest = hashlib.sha256()
        self._spec = spec
        self._file = open(path, "wb")  # noqa: SIM115  It stays open for as long as samples come.
        # The header has room to spare, and the number of samples is known at the end.
        self._header(0)
        self._begins = self._file.tell()

    def write(self, named: str, array: np.ndarray) -> None:
        """Take in one sample."""
        spec = self._spec
        if array.dtype.hasobject:
            raise VerificationError(f"{named}: {spec.name} is of objects, not numbers")
        shapes = [tuple(spec.shape)] + ([tuple(spec.shape[1:])] if spec.shape[:1] == (1,) else [])
        if array.shape not in shapes:
            raise VerificationError(f"{named}: {spec.name} has shape {list(array.shape)}, not {list(spec.shape)}")
        if array.dtype.kind != spec.dtype.kind and not {array.dtype.kind, spec.dtype.kind} <= set("iu"):
            raise VerificationError(f"{named}: {spec.name} is of {array.dtype}; the model takes {spec.dtype}")
        with np.errstate(over="ignore"):
            fitting = array.astype(spec.dtype)
        if spec.dtype.kind == "f" and not np.isfinite(fitting).all():
            raise VerificationError(f"{named}: {spec.name} holds NaN or infinity")
        if spec.dtype.kind in "iu" and not np.array_equal(fitting, array):
            raise VerificationError(f"{named}: {spec.name} holds numbers that {spec.dtype} cannot")
        data = fitting.tobytes()
        self.digest.update(data)
        self._file.write(data)

    def finish(self, count: int) -> None:
        """Say in the header how many samples there are."""
        self._file.seek(0)
        self._header(count)
        if self._file.tell() != self._begins:
            raise AssertionError("the header of an .npy file grew")

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _header(self, count: int) -> None:
        # Padded to a length that no number of samples changes.
        shape = repr((count, *self._spec.shape))
        text = f"{{'descr': {npy.dtype_to_descr(self._spec.dtype)!r}, 'fortran_order': False, 'shape': {shape}, }}"
        size = 502
        self._file.write(npy.magic(1, 0) + size.to_bytes(2, "little") + text.ljust(size - 1).encode() + b"\n")


def of_model_file(
    get_inputs: Callable[[int], Any],
    path: str,
    specs: List[TensorSpec],
    limit: int,
    folder: str,
    function: str = "get_inputs",
) -> StoredInputs:
    """What the model file's ``get_inputs(count)`` gives, at most ``limit`` samples; ``function`` is its name there.

    It gives an array or tensor of all samples, or a tuple of them, one an input; or an iterable, such as a generator,
    of samples, each an array or tensor, or a tuple of them.

    Raises:
        VerificationError: as ``from_samples``.
    """
    named = f"{function}() of {os.path.basename(path)}"
    made = get_inputs(limit)
    if _is_array(made) or (isinstance(made, (tuple, list)) and len(made) == len(specs) and _all_samples(made, specs)):
        arrays = [_as_array(part) for part in ([made] if _is_array(made) else made)]
        if len({len(array) for array in arrays}) > 1:
            raise VerificationError(f"{named}: the arrays hold different numbers of samples")
        return from_samples(zip(*arrays), named, path, specs, limit, folder)
    try:
        samples = iter(made)
    except TypeError:
        raise VerificationError(
            f"{named} must give arrays or an iterable of samples, and gave {type(made).__name__}"
        ) from None
    parts = (sample if isinstance(sample, (tuple, list)) else [sample] for sample in samples)
    arrays_of = ([_as_array(part) for part in each] for each in parts)
    return from_samples(arrays_of, named, path, specs, limit, folder)


def _all_samples(made: Sequence[Any], specs: List[TensorSpec]) -> bool:
    # A list of samples and a tuple of whole arrays look alike where there are as many samples as inputs; shapes tell.
    return all(
        _is_array(part) and tuple(part.shape[1:]) in (tuple(spec.shape), tuple(spec.shape[1:]))
        and tuple(part.shape) != tuple(spec.shape)
        for part, spec in zip(made, specs)
    )  # fmt: skip


def _is_array(thing: Any) -> bool:
    return hasattr(thing, "shape") and hasattr(thing, "dtype")


def _as_array(thing: Any) -> np.ndarray:
    numpy: Optional[Callable[[], np.ndarray]] = getattr(getattr(thing, "detach", lambda: thing)(), "numpy", None)
    return numpy() if numpy is not None else np.asarray(thing)
