"""Embeddings and reports on disk: written completely or not at all, and read without pickle."""

import errno
import json
import math
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from genurl_graph.exceptions import InputError
from genurl_graph.formats import READERS, WRITERS, Columns, import_pandas

EMBEDDING_SUFFIXES = tuple(WRITERS)

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


def check_output(path: StrPath, suffixes: Sequence[str] = EMBEDDING_SUFFIXES) -> Path:
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
    if target.suffix.lower() == ".parquet":
        import_pandas(target)
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


def write_embedding(
    path: StrPath,
    embedding: Tensor | npt.NDArray[Any],
    node_id: Sequence[Any] | npt.NDArray[Any] | Tensor | None = None,
    label: Sequence[Any] | npt.NDArray[Any] | Tensor | None = None,
) -> None:
    """Write an embedding in the format the suffix of `path` names.

    ``.npz`` and ``.pt`` hold the keys ``embedding`` (float32 [n, d]), ``node_id`` and, if given, ``label``;
    ``.csv`` and ``.parquet`` the columns ``node_id``, ``label`` (if given) and ``e0`` to ``e{d-1}``;
    ``.npy`` the matrix alone. In ``.csv`` a name that a spreadsheet would run as a formula gets an apostrophe in front
    (`genurl_graph.cells`), which `read_embedding` takes off again.

    Parameters
    ----------
    path
        Output file: ``.npz``, ``.npy``, ``.csv``, ``.parquet`` or ``.pt``.
    embedding
        Matrix [n, d], written as float32.
    node_id
        n names (integers or strings); 0 .. n-1 by default.
    label
        n labels (numbers or strings).

    Raises
    ------
    InputError
        For an unknown suffix, an unwritable place, a shape that does not fit, or ``.parquet`` without pandas.
    """
    target = check_output(path)
    matrix = np.ascontiguousarray(_to_numpy(embedding), dtype=np.float32)
    if matrix.ndim != 2:
        raise InputError(f"embedding: found shape {matrix.shape}, expected [n, d]")
    columns: Columns = {"embedding": matrix, "node_id": _column("node_id", node_id, len(matrix))}
    if label is not None:
        columns["label"] = _column("label", label, len(matrix))
    with atomic_write(target) as temporary:
        WRITERS[target.suffix.lower()](temporary, columns)


def read_embedding(path: StrPath) -> Columns:
    """Read an embedding written by `write_embedding`, or a plain matrix in one of its formats.

    Never unpickles. A ``.csv`` may also be a bare table of numbers without a header; as CSV carries no types,
    its ids and labels come back as int64 where every one of them is written as an integer, else as strings.

    Returns
    -------
    dict
        ``embedding`` float32 [n, d]; ``node_id`` [n] and ``label`` [n] where the file has them.

    Raises
    ------
    InputError
        If the file is missing, unreadable, of another layout, or holds NaN or infinite numbers.
    """
    source = Path(path)
    suffix = source.suffix.lower()
    if suffix not in READERS:
        raise InputError(f"{source}: suffix {suffix!r}, expected one of {', '.join(EMBEDDING_SUFFIXES)}")
    if not source.is_file():
        raise InputError(f"{source}: {'is a folder' if source.is_dir() else 'no such file'}")
    try:
        columns = READERS[suffix](source)
    except (InputError, MemoryError):
        raise
    except Exception as error:  # the parsers of other libraries raise anything on damaged content
        raise InputError(f"{source}: cannot be read as {suffix}: {error}") from error
    return _checked(source, columns)


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


def _to_numpy(values: Any) -> npt.NDArray[Any]:
    return values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)


def _column(name: str, values: Any, n: int) -> npt.NDArray[Any]:
    """`values` as a one-dimensional array of n numbers or strings; never an object array (needs pickle)."""
    column = np.arange(n, dtype=np.int64) if values is None else _to_numpy(values)
    if column.dtype == object:
        column = np.array([str(value) for value in column])
    if column.shape != (n,):
        raise InputError(f"{name}: found shape {column.shape}, expected [{n}], one entry a row of embedding")
    return column


def _checked(source: Path, columns: Columns) -> Columns:
    try:
        matrix = np.ascontiguousarray(columns["embedding"], dtype=np.float32)
    except (ValueError, TypeError) as error:
        raise InputError(f"{source}: the embedding is not a matrix of numbers: {error}") from error
    if matrix.ndim != 2 or 0 in matrix.shape:
        raise InputError(f"{source}: found an embedding of shape {matrix.shape}, expected [n, d]")
    wrong = np.flatnonzero(~np.isfinite(matrix).all(axis=1))
    if len(wrong):
        raise InputError(f"{source}: {len(wrong)} rows hold NaN or infinite numbers, the first is row {wrong[0]}")
    for name in columns.keys() & {"node_id", "label"}:
        if columns[name].shape != (len(matrix),):
            raise InputError(f"{source}: {name} has shape {columns[name].shape}, the embedding {len(matrix)} rows")
    return {**columns, "embedding": matrix}
