"""The airlock: the folder of its own that a stage writes to, and how what it makes is taken out of there.

A stage is a stranger's program: a model file may leave links, pipes or folders under any name. When it has ended, the
runner takes what the table says that the stage makes, and nothing else: regular files that are nobody else's too, found
without following a link, and renamed into place. What is left is removed.
"""

import contextlib
import errno
import fcntl
import fnmatch
import os
import shutil
import stat
import tempfile
from typing import Iterator, List, Optional, Sequence, Set, Tuple

from runners.errors import RunnerError
from runners.paths import ROOT
from runners.stages import MOST_FILES, Product

WORK = "build/.work"
# A file beside each folder, which its runner has locked for as long as it lives. No stage sees it.
LOCK = ".lock"
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Airlock:
    """A folder that only one stage writes to. ``path`` is relative to the checkout."""

    def __init__(self, path: str, descriptor: int):
        self.path, self._descriptor = path, descriptor

    def read(self, name: str, most_bytes: int) -> Optional[bytes]:
        """What the stage has left in the file ``name``; None where that is no regular file or is too large."""
        file = _opened(self._descriptor, name, most_bytes)
        if file is None:
            return None
        with open(file, "rb") as stream:
            return stream.read(most_bytes)

    def publish(self, products: Sequence[Product], into: str, succeeded: bool) -> Set[str]:
        """Put what the stage made into the folder ``into``, and return what was, relative to it.

        ``into`` is relative to the checkout. Of a stage that has failed only what is ``always`` published is.

        Raises:
            RunnerError: something cannot be put in its place; what was there before is untouched.
        """
        wanted = [product for product in products if product.always or succeeded]
        published: Set[str] = set()
        target = _folder_for(into)
        try:
            # Of two that publish at once, one has put all of its files in place before the other begins.
            fcntl.flock(target, fcntl.LOCK_EX)
            replaced = []
            for product in wanted:
                made = self._publish(product, target, into)
                published |= made
                # Folders that were used once more, and not made anew, are those of the earlier run.
                if product.replaces and (made or not product.files):
                    replaced.append(product)
            # What comes last in the table says that the stage came to its end.
            if wanted[-1].pattern in published:
                for product in replaced:
                    _remove_replaced(product, target, published)
        finally:
            os.close(target)
        return published

    def _publish(self, product: Product, target: int, into: str) -> Set[str]:
        folder, _, pattern = product.pattern.rpartition("/")
        source = _below(self._descriptor, folder)
        if source is None:
            return set()
        published: Set[str] = set()
        try:
            names = sorted(fnmatch.filter(os.listdir(source), pattern))[:MOST_FILES]
            if not names:
                return published
            with _made_below(target, folder, into) as there:
                for name in names:
                    place = f"{folder}/{name}".lstrip("/")
                    taken = _take_folder if product.files else _take
                    if taken(product, source, name, there, f"{into}/{place}"):
                        published.add(place)
                os.fsync(there)
        finally:
            os.close(source)
        return published


@contextlib.contextmanager
def opened(stage: str) -> Iterator[Airlock]:
    """A fresh airlock for a run of ``stage``; it is removed in the end. Those of runners that were killed go first.

    Raises:
        RunnerError: it cannot be made.
    """
    with contextlib.ExitStack() as ending:
        try:
            (ROOT / WORK).mkdir(parents=True, exist_ok=True)
            work = os.open(str(ROOT / WORK), _FOLDER | os.O_NOFOLLOW)
        except OSError as error:
            raise RunnerError(f"cannot make the folder {WORK}: {error.strerror}") from error
        ending.callback(os.close, work)
        # Held while one is made: nobody takes a new folder for one that was left, before its own lock is there.
        fcntl.flock(work, fcntl.LOCK_EX)
        try:
            _sweep(work)
            name = os.path.basename(tempfile.mkdtemp(prefix=f"{stage}-", dir=str(ROOT / WORK)))
            ending.callback(_remove, work, name)
            lock = os.open(name + LOCK, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=work)
            ending.callback(os.close, lock)
            ending.callback(os.unlink, name + LOCK, dir_fd=work)
            fcntl.flock(lock, fcntl.LOCK_EX)
            descriptor = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=work)
            ending.callback(os.close, descriptor)
        except OSError as error:
            raise RunnerError(f"cannot make a folder in {WORK}: {error.strerror}") from error
        finally:
            fcntl.flock(work, fcntl.LOCK_UN)
        yield Airlock(f"{WORK}/{name}", descriptor)


def _sweep(work: int) -> None:
    """Remove the folders of runners that have ended: those whose lock nobody holds, or that have none."""
    for name in os.listdir(work):
        if name.endswith(LOCK):
            continue
        with contextlib.suppress(OSError):
            if not stat.S_ISDIR(os.stat(name, dir_fd=work, follow_symlinks=False).st_mode):
                continue
            with contextlib.suppress(FileNotFoundError):
                lock = os.open(name + LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=work)
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                finally:
                    os.close(lock)
                os.unlink(name + LOCK, dir_fd=work)
            _remove(work, name)


def _remove(work: int, name: str) -> None:
    """Remove the folder ``name`` with all that a stage can leave in it; no link is followed, and no depth too deep.

    What cannot be removed is left for the next sweep.
    """
    pending, count = [name], 0
    while pending:
        folder = pending.pop()
        with contextlib.suppress(OSError):
            descriptor = _writable(work, folder)
            try:
                for entry in os.listdir(descriptor):
                    count += 1
                    if stat.S_ISDIR(os.stat(entry, dir_fd=descriptor, follow_symlinks=False).st_mode):
                        # Folders in folders are brought up here, so that no path grows longer than the system allows.
                        flat = f"{name}.{count}"
                        os.close(_writable(descriptor, entry))
                        os.rename(entry, flat, src_dir_fd=descriptor, dst_dir_fd=work)
                        pending.append(flat)
                    else:
                        os.unlink(entry, dir_fd=descriptor)
            finally:
                os.close(descriptor)
            os.rmdir(folder, dir_fd=work)


def _writable(parent: int, name: str) -> int:
    """A descriptor of the folder ``name`` of this user's, made readable and writable first where it was not."""
    try:
        descriptor = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=parent)
    except PermissionError:
        # Nobody writes here any more, so that it is still the folder that it was just now.
        os.chmod(name, 0o700, dir_fd=parent)
        descriptor = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=parent)
    os.fchmod(descriptor, 0o700)
    return descriptor


def _folder_for(into: str) -> int:
    try:
        root = os.open(str(ROOT), _FOLDER)
        try:
            first, *rest = into.split("/")
            # The user may have put build/ itself on another disk; what lies below was made by stages.
            with contextlib.suppress(FileExistsError):
                os.mkdir(first, dir_fd=root)
            descriptor = os.open(first, _FOLDER, dir_fd=root)
        finally:
            os.close(root)
        return _made(descriptor, rest)
    except OSError as error:
        raise RunnerError(f"cannot make the folder {into}: {_reason(error)}") from error


def _made(descriptor: int, parts: Sequence[str]) -> int:
    """The folder at the end of ``parts`` below ``descriptor``, which is closed; made where there is none."""
    for part in parts:
        try:
            with contextlib.suppress(FileExistsError):
                os.mkdir(part, dir_fd=descriptor)
            below = os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=descriptor)
        finally:
            os.close(descriptor)
        descriptor = below
    return descriptor


@contextlib.contextmanager
def _made_below(target: int, folder: str, into: str) -> Iterator[int]:
    try:
        descriptor = _made(os.dup(target), folder.split("/") if folder else [])
    except OSError as error:
        raise RunnerError(f"cannot make the folder {into}/{folder}: {_reason(error)}") from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _below(descriptor: int, folder: str) -> Optional[int]:
    """The folder ``folder``, of one name, below ``descriptor``; None where there is none, or something else."""
    try:
        return os.open(folder or ".", _FOLDER | os.O_NOFOLLOW, dir_fd=descriptor)
    except OSError:
        return None


def _opened(folder: int, name: str, most_bytes: int) -> Optional[int]:
    """A descriptor of the regular file ``name`` in ``folder``, of one name and at most ``most_bytes``; or None."""
    try:
        descriptor = os.open(name, _FILE, dir_fd=folder)
    except OSError:
        return None
    found = os.fstat(descriptor)
    if stat.S_ISREG(found.st_mode) and found.st_nlink == 1 and found.st_size <= most_bytes:
        return descriptor
    os.close(descriptor)
    return None


def _take(product: Product, source: int, name: str, target: int, shown: str) -> bool:
    """Move the file ``name``, whole and on the disk, from one folder into the other; False where it is none to take."""
    file = _opened(source, name, product.most_bytes)
    if file is None:
        return False
    try:
        os.fchmod(file, 0o666 & ~_umask())
        os.fsync(file)
        _move(file, source, name, target)
    except OSError as error:
        raise RunnerError(f"cannot write {shown}: {_reason(error)}") from error
    finally:
        os.close(file)
    return True


def _move(file: int, source: int, name: str, target: int) -> None:
    try:
        os.rename(name, name, src_dir_fd=source, dst_dir_fd=target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        # The model's folder is on another disk.
        partial = f".{name}.{os.getpid()}.partial"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        copy = os.open(partial, flags, 0o666, dir_fd=target)
        try:
            with open(copy, "wb") as to, open(os.dup(file), "rb") as origin:
                shutil.copyfileobj(origin, to, 1 << 20)
                to.flush()
                os.fsync(to.fileno())
            os.rename(partial, name, src_dir_fd=target, dst_dir_fd=target)
        except BaseException:
            os.unlink(partial, dir_fd=target)
            raise


def _take_folder(product: Product, source: int, name: str, target: int, shown: str) -> bool:
    """Move the folder ``name``, which replaces one of that name, if it holds the files that it may hold alone."""
    held = _below(source, name)
    if held is None:
        return False
    try:
        files = os.listdir(held)
        if not _complete(files, product.files) or len(files) > MOST_FILES:
            return False
        partial, old = f".{name}.partial", f".{name}.old"
        # This runner alone publishes here now: what has these names is of one that was killed.
        for left in (partial, old):
            _remove(target, left)
        os.mkdir(partial, dir_fd=target)
        there = os.open(partial, _FOLDER | os.O_NOFOLLOW, dir_fd=target)
        try:
            whole = all(_take(product, held, file, there, f"{shown}/{file}") for file in files)
            os.fsync(there)
        finally:
            os.close(there)
        if whole:
            with contextlib.suppress(FileNotFoundError):
                os.rename(name, old, src_dir_fd=target, dst_dir_fd=target)
            os.rename(partial, name, src_dir_fd=target, dst_dir_fd=target)
        for left in (partial, old):
            _remove(target, left)
        return whole
    except OSError as error:
        raise RunnerError(f"cannot write {shown}: {_reason(error)}") from error
    finally:
        os.close(held)


def _complete(files: List[str], patterns: Tuple[str, ...]) -> bool:
    return all(fnmatch.filter(files, pattern) for pattern in patterns) and all(
        any(fnmatch.fnmatchcase(file, pattern) for pattern in patterns) for file in files
    )


def _remove_replaced(product: Product, target: int, published: Set[str]) -> None:
    """Remove what an earlier run left of ``product`` and this one did not make."""
    folder, _, pattern = product.pattern.rpartition("/")
    there = _below(target, folder)
    if there is None:
        return
    try:
        for name in fnmatch.filter(os.listdir(there), pattern):
            if f"{folder}/{name}".lstrip("/") in published:
                continue
            with contextlib.suppress(OSError):
                if product.files:
                    _remove_unused(there, name)
                else:
                    os.unlink(name, dir_fd=there)
    finally:
        os.close(there)


def _remove_unused(parent: int, name: str) -> None:
    """Remove a folder unless another run reads it, and has locked it to say so."""
    descriptor = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=parent)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _remove(parent, name)
    finally:
        os.close(descriptor)


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def _reason(error: OSError) -> str:
    if error.errno == errno.ELOOP:
        return "it is a link; Ferry puts nothing where a link leads"
    return "no room left on the disk" if error.errno == errno.ENOSPC else str(error.strerror)
