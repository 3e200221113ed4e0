"""One run at a time writes a file: a lock that ends with its process, however that ends."""

from __future__ import annotations

import errno
import fcntl
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from genurl_graph.exceptions import InputError
from genurl_graph.io import StrPath, remove_leftovers


@contextmanager
def exclusive(*paths: StrPath) -> Iterator[None]:
    """Context in which no other run may write these files; what killed ones left of them half-written is removed.

    The lock is the system's (``flock``) on ``.NAME.lock`` beside each file, which says who holds it. The system drops
    it when the process ends, also by ``kill -9``; a file that is left over locks nothing.

    Raises
    ------
    InputError
        Another process holds one of the locks (it is named), or the lock file cannot be made.
    """
    with ExitStack() as held:
        for path in dict.fromkeys(Path(os.path.realpath(path)) for path in paths):
            held.enter_context(_locked(path))
            remove_leftovers(path)
        yield


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    note = path.with_name(f".{path.name}.lock")
    handle = _acquire(path, note)
    try:
        os.ftruncate(handle, 0)
        os.write(handle, f"{os.getpid()} {' '.join(sys.argv)}"[:500].encode())
        yield
    finally:
        # While the lock is held: afterwards the name could be that of another run's lock.
        note.unlink(missing_ok=True)
        os.close(handle)


def _acquire(path: Path, note: Path) -> int:
    """A locked descriptor of the file that bears the name `note`."""
    while True:
        try:
            handle = os.open(note, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise InputError(f"{path}: cannot write here: {error.strerror} (lock file {note.name})") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder, _, command = os.read(handle, 500).decode(errors="replace").partition(" ")
            os.close(handle)
            raise InputError(
                f"{path}: another run is writing this file, process {holder or 'unknown'} ({command or 'unknown'}); "
                f"wait for it to end, or name another file (lock: {note})"
            ) from error
        except OSError as error:
            if error.errno not in (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS):
                os.close(handle)
                raise
            warnings.warn(f"{path}: this file system has no locks; start no second run on this file", stacklevel=6)
        # Between opening and locking, the last holder may have removed the file: then it is nobody's any more.
        try:
            if os.stat(note).st_ino == os.fstat(handle).st_ino:
                return handle
        except FileNotFoundError:
            pass
        os.close(handle)
