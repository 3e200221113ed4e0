"""Files: written completely or not at all, and by one run at a time."""

from __future__ import annotations

import errno
import json
import math
import os
import re
import secrets
import shutil
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from genurl_graph.exceptions import wrong

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
        raise wrong(path, f"a path that cannot be written ({error.strerror})", "a folder to write in") from error
    try:
        yield temporary
        os.replace(temporary, final)
    except OSError as error:
        # Others are not about this file: a download that times out, a font that is missing.
        said_without_number = type(error) is OSError and error.errno is None and error.args
        if error.errno not in _DISK_ERRORS and not said_without_number:
            raise
        before = "what stood there before is untouched" if final.exists() else "nothing is left there"
        found = f"that it cannot be written ({error.strerror or error})"
        raise wrong(path, found, f"room for it on the disk; {before}") from error
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

    InputError if the suffix is not one of `suffixes`, the folder is missing or not writable, or `path` is a folder.
    """
    target = Path(path)
    if target.suffix.lower() not in suffixes:
        found = f"suffix {target.suffix!r}" if target.suffix else "no suffix"
        raise wrong(target, found, f"one of {', '.join(suffixes)}")
    if target.is_dir():
        raise wrong(target, "a folder", "the name of a file")
    _check_writable(target, target.parent)
    return target


def check_folder(path: StrPath) -> Path:
    """Check, before any long work, that a folder at `path` can be written or created.

    InputError if `path` is a file, its parent is missing, or it (or its parent) is not writable.
    """
    target = Path(path)
    if target.exists() and not target.is_dir():
        raise wrong(target, "a file", "the name of a folder")
    _check_writable(target, target if target.is_dir() else target.parent)
    return target


def _check_writable(target: Path, folder: Path) -> None:
    if not folder.is_dir():
        raise wrong(target, f"{'a file' if folder.exists() else 'nothing'} at {folder}", "a folder; create it first")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise wrong(target, f"the folder {folder}, which is not writable", "one that is")


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

    The lock (`filelock`) is on ``.NAME.lock`` beside each file, which says who holds it. The system drops it when the
    process ends, also by ``kill -9``; a file that is left over locks nothing.

    InputError if another process holds one of the locks (it is named), or the lock file cannot be made.
    """
    with ExitStack() as held:
        for path in dict.fromkeys(Path(os.path.realpath(path)) for path in paths):
            held.enter_context(_locked(path))
            remove_leftovers(path)
        yield


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    from filelock import FileLock, Timeout

    _check_writable(path, path.parent)  # filelock would make the folder
    note = path.with_name(f".{path.name}.lock")
    lock = FileLock(note)
    try:
        lock.acquire(blocking=False)
    except Timeout as error:
        holder, command = "unknown", ""
        with suppress(OSError):
            holder, _, command = note.read_text(errors="replace").partition(" ")
        found = f"another run that writes this file, process {holder or 'unknown'} ({command or 'unknown'})"
        raise wrong(path, found, f"none; wait for it to end, or name another file (lock: {note})") from error
    except OSError as error:
        if error.errno not in (errno.ENOLCK, errno.EOPNOTSUPP):
            found = f"a path that cannot be written ({error.strerror})"
            raise wrong(path, found, f"a folder to write in (lock: {note.name})") from error
        warnings.warn(f"{path}: this file system has no locks; start no second run on this file", stacklevel=6)
    try:
        note.write_text(f"{os.getpid()} {' '.join(sys.argv)}"[:500])
        yield
    finally:
        # While the lock is held: afterwards the name could be that of another run's lock.
        note.unlink(missing_ok=True)
        lock.release()
