"""Embeddings on disk: one writer and one reader for each file format."""

from __future__ import annotations

import csv
import math
import re
import zipfile
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from genurl_graph.exceptions import unknown, wrong
from genurl_graph.inputs.safe_load import (
    check_extent,
    load_archive,
    load_array,
    load_tensors,
    physical_memory,
    readable,
)
from genurl_graph.inputs.validation import check_finite, check_matrix
from genurl_graph.runtime.files import StrPath, atomic_write, check_output

Columns = dict[str, npt.NDArray[Any]]
# Formats that hold one table.
TABLE_SUFFIXES = (".csv", ".parquet")


def check_embedding_path(path: StrPath) -> Path:
    """Check, before any long work, that an embedding can be written to `path`; errors as those of `check_output`."""
    target = check_output(path, EMBEDDING_SUFFIXES)
    if target.suffix.lower() == ".parquet":
        import_parquet(target)
    return target


def path_beside(path: StrPath, part: str) -> Path:
    """The file that a further part of an embedding is written to: `path` itself, or the table beside it.

    Examples
    --------
    >>> path_beside("out/calls.csv", "trajectory").name, path_beside("out/calls.npz", "trajectory").name
    ('calls-trajectory.csv', 'calls.npz')
    """
    path = Path(path)
    return path.with_name(f"{path.stem}-{part}{path.suffix}") if path.suffix.lower() in TABLE_SUFFIXES else path


def check_path_of_both(path: StrPath, part: str, content: str) -> Path:
    """Check, before any long work, that an embedding and a further part of it, which holds `content`, can be written.

    InputError as of `check_embedding_path`; ``.npy``, which holds one matrix.
    """
    found = check_embedding_path(path)
    if found.suffix.lower() == ".npy":
        raise wrong(found, f"a format for one matrix, which cannot also hold {content}", ".npz, .pt, .csv or .parquet")
    if (beside := path_beside(found, part)) != found:
        check_embedding_path(beside)
    return found


def write_embedding(
    path: StrPath,
    embedding: Tensor | npt.NDArray[Any],
    node_id: Sequence[Any] | npt.NDArray[Any] | Tensor | None = None,
    label: Sequence[Any] | npt.NDArray[Any] | Tensor | None = None,
    more: Columns | None = None,
) -> None:
    """Write an embedding in the format the suffix of `path` names.

    ``.npz`` and ``.pt`` hold the keys ``embedding`` (float32 [n, d]), ``node_id`` and, if given, ``label``;
    ``.csv`` and ``.parquet`` the columns ``node_id``, ``label`` (if given) and ``e0`` to ``e{d-1}``;
    ``.npy`` the matrix alone. In ``.csv`` a name that a spreadsheet would run as a formula gets an apostrophe in front
    (`genurl_graph.inputs.embeddings`), which `read_embedding` takes off again.

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
    more
        Further arrays of numbers by key, for ``.npz`` and ``.pt`` alone: `read_embedding` leaves them there.

    Raises
    ------
    InputError
        For an unknown suffix, an unwritable place, a shape that does not fit, or ``.parquet`` without pyarrow.
    """
    target = check_embedding_path(path)
    given = check_matrix(_to_numpy(embedding), "embedding", sparse=False, empty=True, finite=False)
    matrix = np.ascontiguousarray(given, dtype=np.float32)
    columns: Columns = {"embedding": matrix, "node_id": _column("node_id", node_id, len(matrix))}
    if label is not None:
        columns["label"] = _column("label", label, len(matrix))
    columns |= more or {}
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
        raise unknown(f"suffix of {source}", suffix, READERS)
    if not source.is_file():
        raise wrong(source, "a folder" if source.is_dir() else "no such file", "an embedding")
    with readable(source, f"an embedding ({suffix})"):
        columns = READERS[suffix](source)
    what = f"{source}: embedding"
    matrix = check_matrix(columns["embedding"], what, sparse=False, finite=False).astype(
        np.float32, order="C", copy=False
    )
    check_finite(matrix, what)  # in float32, which the reader gets
    for name in columns.keys() & {"node_id", "label"}:
        if columns[name].shape != (len(matrix),):
            raise wrong(f"{source}: {name}", f"shape {list(columns[name].shape)}", f"[{len(matrix)}]")
    return {**columns, "embedding": matrix}


def _to_numpy(values: Any) -> npt.NDArray[Any]:
    return values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)


def _column(name: str, values: Any, n: int) -> npt.NDArray[Any]:
    """`values` as a one-dimensional array of n numbers or strings; never an object array (needs pickle)."""
    column = np.arange(n, dtype=np.int64) if values is None else _to_numpy(values)
    if column.dtype == object:
        column = np.array([str(value) for value in column])
    if column.shape != (n,):
        raise wrong(name, f"shape {list(column.shape)}", f"[{n}], one entry for each row of the embedding")
    return column


def _read_npz(path: Path) -> Columns:
    found = load_archive(path, ("embedding", "node_id", "label"))
    if "embedding" not in found:
        with zipfile.ZipFile(path) as archive:
            names = [name.removesuffix(".npy") for name in archive.namelist()]
        raise wrong(path, f"the keys {', '.join(names)}" if names else "no keys", "the key 'embedding'")
    return found


def _table(columns: Columns) -> Any:
    """Names, labels and columns of the embedding as a pandas table."""
    import pandas

    named = {name: columns[name] for name in ("node_id", "label") if name in columns}
    return pandas.DataFrame(named | {f"e{i}": column for i, column in enumerate(columns["embedding"].T)})


def _write_csv(path: Path, columns: Columns) -> None:
    # Names that a spreadsheet would run are shielded.
    texts = {name: column for name, column in columns.items() if column.dtype.kind in "US"}
    shields = {name: np.array([shielded(str(cell)) for cell in column], object) for name, column in texts.items()}
    # pandas writes the shortest text of a float32 that reads back to the same float32.
    table = _table(columns | shields)
    table.to_csv(path, index=False, encoding="utf-8", lineterminator="\r\n", na_rep="nan")


def _read_csv(path: Path) -> Columns:
    import pandas

    with path.open(newline="", encoding="utf-8-sig") as stream:
        first = next((row for row in csv.reader(stream) if row), None)
        if first is None:
            raise wrong(path, "an empty file", "a table")
        header = [name.strip() for name in first]
        if all(_is_number(cell) for cell in first):
            header = [""] * len(first)
            stream.seek(0)
        text = {i: name for i, name in enumerate(header) if name in ("node_id", "label")}
        dtypes = {i: str if i in text else np.float64 for i in range(len(header))}
        try:
            table = pandas.read_csv(stream, header=None, dtype=dtypes, na_filter=False)
        except pandas.errors.EmptyDataError:
            table = pandas.DataFrame(columns=range(len(header)))
        except ValueError as error:
            _raise_first_fault(path, header, text, error)
        if len(table.columns) != len(header):
            raise wrong(f"{path}: row 1", f"{len(table.columns)} columns", len(header))
    columns: Columns = {"embedding": table.drop(columns=list(text)).to_numpy(np.float32)}
    names = {name: np.array([unshielded(cell) for cell in table[i]], dtype=str) for i, name in text.items()}
    return columns | {name: _integers_if_all(cells) for name, cells in names.items()}


def _raise_first_fault(path: Path, header: list[str], text: Collection[int], error: ValueError) -> NoReturn:
    """Name the first row that pandas cannot read: it says which text, but not where."""
    with path.open(newline="", encoding="utf-8-sig") as stream:
        rows = (row for row in csv.reader(stream) if row)
        for number, row in enumerate(rows, start=0 if any(header) else 1):
            if len(row) != len(header):
                raise wrong(f"{path}: row {number}", f"{len(row)} columns", len(header)) from error
            bad = [cell for i, cell in enumerate(row) if number and i not in text and not _is_number(cell)]
            if bad:
                raise wrong(f"{path}: row {number}", repr(bad[0]), "a finite number") from error
    raise error


def _is_number(cell: str) -> bool:
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False


def _integers_if_all(cells: npt.NDArray[Any]) -> npt.NDArray[Any]:
    try:
        integers = cells.astype(np.int64)
    except (ValueError, OverflowError):
        return cells
    # "007" is a name, not the number 7: only what prints back the same is taken for an integer.
    return integers if bool((integers.astype(str) == cells).all()) else cells


def import_parquet(path: Path) -> Any:
    """The module ``pyarrow.parquet``; InputError without the extra."""
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise wrong(path, "no pyarrow", "pip install 'genurl-graph[parquet]'") from error
    return pyarrow.parquet


def _read_parquet(path: Path) -> Columns:
    import pandas

    check_parquet(path)
    table = pandas.read_parquet(path, engine="pyarrow")
    named = [name for name in ("node_id", "label") if name in table.columns]
    columns: Columns = {"embedding": table.drop(columns=named).to_numpy()}
    for name in named:
        column = table[name].to_numpy()
        columns[name] = column.astype(str) if column.dtype == object else column
    return columns


def check_parquet(path: Path) -> None:
    """Refuse a file that would take more than half of this machine's memory: runs of equal numbers pack to nothing."""
    note = import_parquet(path).read_metadata(path)
    if note.num_rows * note.num_columns * 8 > physical_memory() // 2:
        found = f"{note.num_rows:,} rows of {note.num_columns:,} columns"
        raise wrong(path, found, "a table that takes at most half of this machine's memory")


def _write_pt(path: Path, columns: Columns) -> None:
    # Tensors and lists of strings are all that torch.load(weights_only=True) needs to know.
    content = {name: v.tolist() if v.dtype.kind in "US" else torch.from_numpy(v) for name, v in columns.items()}
    try:
        torch.save(content, path)
    except RuntimeError as error:  # its own word for a full disk
        raise OSError(str(error).strip().partition("\n")[0] or "RuntimeError") from error


def _read_pt(path: Path) -> Columns:
    content = load_tensors(path)
    if isinstance(content, Tensor):
        content = {"embedding": content}
    if not isinstance(content, dict) or "embedding" not in content:
        raise wrong(path, type(content).__name__, "a tensor, or a dict with the key 'embedding'")
    found = {name: content[name] for name in ("embedding", "node_id", "label") if name in content}
    for name, values in found.items():
        if isinstance(values, Tensor):
            check_extent(values, path, name)
    return {name: _to_numpy(values) for name, values in found.items()}


WRITERS: dict[str, Callable[[Path, Columns], None]] = {
    ".npz": lambda path, columns: np.savez(path, **columns),  # type: ignore[arg-type]  # numpy's stub: allow_pickle
    ".npy": lambda path, columns: np.save(path, columns["embedding"]),
    ".csv": _write_csv,
    ".parquet": lambda path, columns: _table(columns).to_parquet(path, engine="pyarrow", index=False),
    ".pt": _write_pt,
}
READERS: dict[str, Callable[[Path], Columns]] = {
    ".npz": _read_npz,
    ".npy": lambda path: {"embedding": load_array(path)},
    ".csv": _read_csv,
    ".parquet": _read_parquet,
    ".pt": _read_pt,
}
EMBEDDING_SUFFIXES = tuple(WRITERS)

_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def shielded(name: str) -> str:
    """`name` with an apostrophe in front if a spreadsheet would run it."""
    return f"'{name}" if _FORMULA.match(name) and not _NUMBER.fullmatch(name) else name


def unshielded(cell: str) -> str:
    """The name that `shielded` made `cell` of."""
    return cell[1:] if cell[:1] == "'" and shielded(cell[1:]) == cell else cell
