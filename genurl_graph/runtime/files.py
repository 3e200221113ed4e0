"""Files: written completely or not at all, and by one run at a time."""

from __future__ import annotations

import errno
import fcntl
import json
import math
import os
import re
import secrets
import shutil
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from genurl_graph.exceptions import InputError

# Of the disk, not of what is written. NumPy raises an OSError without a number where its writer wrote too little.
_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS)

_INNER = ".part"

StrPath = str | os.PathLike[str]


@contextmanager
def atomic_write(path: StrPath) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` on success, remove it on any failure.

    The temporary file keeps the suffix, since writers such as ``numpy.savez`` look at it. Whatever stood at
    `path` before stays untouched until the new content is complete, also when the block is interrupted.

    Raises
    ------
    InputError
        If no file can be created in the folder of `path`, or the disk is full or fails while it is written.
    """
    final = Path(os.path.realpath(path))  # through a link: the file it points to is replaced, not the link
    temporary = final.with_name(f".{final.stem}.{secrets.token_hex(4)}{final.suffix}")
    try:
        # Not tempfile: its files are readable by their owner only, and the rename would keep that.
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except OSError as error:
        raise InputError(f"{path}: cannot write here: {error.strerror}") from error
    try:
        yield temporary
        os.replace(temporary, final)
    except OSError as error:
        # Others are not about this file: a download that times out, a picture's font that is missing.
        said_without_number = type(error) is OSError and error.errno is None and error.args
        if error.errno not in _DISK_ERRORS and not said_without_number:
            raise
        before = "what stood there before is untouched" if final.exists() else "nothing is left there"
        raise InputError(f"{path}: cannot be written: {error.strerror or error}; {before}") from error
    finally:
        temporary.unlink(missing_ok=True)


def remove_leftovers(path: StrPath) -> None:
    """Remove what killed processes have left of writing `path`, or files in that folder; nobody may be writing now."""
    final = Path(os.path.realpath(path))
    stem, suffix = (r"[^/]+", r"(\.\w+)?") if final.is_dir() else (re.escape(final.stem), re.escape(final.suffix))
    name = re.compile(rf"\.{stem}\.[0-9a-f]{{8}}{suffix}({_INNER})?")
    for found in (final if final.is_dir() else final.parent).iterdir():
        if name.fullmatch(found.name):
            shutil.rmtree(found) if found.is_dir() else found.unlink(missing_ok=True)


def save_tensors(path: Path, tensors: dict[str, Tensor], note: dict[str, str]) -> None:
    """Write a safetensors file at the temporary path of `atomic_write`; a full disk is an OSError, as elsewhere."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    # Its writer makes a temporary file of its own beside the path: in a folder that `remove_leftovers` knows.
    inner = path.with_name(path.name + _INNER)
    inner.mkdir()
    try:
        save_file(tensors, str(inner / path.name), metadata=note)
        os.replace(inner / path.name, path)
    except SafetensorError as error:
        raise OSError(str(error)) from error
    finally:
        shutil.rmtree(inner)


def check_output(path: StrPath, suffixes: Sequence[str]) -> Path:
    """Check, before any long work, that a file can be written at `path`.

    Raises
    ------
    InputError
        If the suffix is not one of `suffixes`, the folder is missing or not writable, or `path` is a folder.
    """
    target = Path(path)
    if target.suffix.lower() not in suffixes:
        found = f"suffix {target.suffix!r}" if target.suffix else "no suffix"
        raise InputError(f"{target}: {found}, expected one of {', '.join(suffixes)}")
    folder = target.parent
    if not folder.is_dir():
        found = "is not a folder" if folder.exists() else "does not exist"
        raise InputError(f"{target}: the folder {folder} {found}; create it first")
    if target.is_dir():
        raise InputError(f"{target}: is a folder, expected the name of a file")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(f"{target}: the folder {folder} is not writable")
    return target


def check_folder(path: StrPath) -> Path:
    """Check, before any long work, that a folder at `path` can be written or created.

    Raises
    ------
    InputError
        If `path` is a file, its parent is missing, or it (or its parent) is not writable.
    """
    target = Path(path)
    if target.exists() and not target.is_dir():
        raise InputError(f"{target}: is a file, expected the name of a folder")
    folder = target if target.is_dir() else target.parent
    if not folder.is_dir():
        raise InputError(f"{target}: the folder {folder} does not exist; create it first")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(f"{target}: the folder {folder} is not writable")
    return target


def write_json(path: StrPath, obj: Any) -> None:
    """Write `obj` as `to_json` has it."""
    target = check_output(path, (".json",))
    text = to_json(obj)
    with atomic_write(target) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def to_json(obj: Any) -> str:
    """`obj` as indented JSON; NumPy and torch numbers are converted, NaN and infinity become null."""
    return json.dumps(_plain(obj), indent=2, ensure_ascii=False, allow_nan=False)


def _plain(obj: Any) -> Any:
    """`obj` in terms of what JSON has."""
    if isinstance(obj, dict):
        return {str(key): _plain(value) for key, value in obj.items()}
    if isinstance(obj, list | tuple):
        return [_plain(value) for value in obj]
    if isinstance(obj, Tensor | np.ndarray | np.generic):
        return _plain(obj.tolist())
    if isinstance(obj, float) and not math.isfinite(obj):
        return None
    if isinstance(obj, os.PathLike):
        return os.fspath(obj)
    return obj


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
