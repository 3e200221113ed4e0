"""Embeddings on disk: one writer and one reader for each file format."""

from __future__ import annotations

import csv
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from genurl_graph.exceptions import InputError
from genurl_graph.inputs.safe_load import check_extent, load_archive, load_array, load_tensors, physical_memory
from genurl_graph.runtime.files import StrPath, atomic_write, check_output


def check_embedding_path(path: StrPath) -> Path:
    """Check, before any long work, that an embedding can be written to `path`; errors as those of `check_output`."""
    target = check_output(path, EMBEDDING_SUFFIXES)
    if target.suffix.lower() == ".parquet":
        import_pandas(target)
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

    Raises
    ------
    InputError
        For an unknown suffix, an unwritable place, a shape that does not fit, or ``.parquet`` without pandas.
    """
    target = check_embedding_path(path)
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


Columns = dict[str, npt.NDArray[Any]]
_CSV_ROWS = 4096  # rows turned into text at a time: bounds the memory the text takes


def import_pandas(path: Path) -> Any:
    try:
        import pandas
        import pyarrow  # noqa: F401  pandas writes Parquet through it
    except ImportError as error:
        raise InputError(f"{path}: Parquet needs pandas and pyarrow: pip install 'genurl-graph[parquet]'") from error
    return pandas


def _write_npz(path: Path, columns: Columns) -> None:
    np.savez(path, **columns)  # type: ignore[arg-type]  # numpy's stub takes the keys for allow_pickle


def _read_npz(path: Path) -> Columns:
    found = load_archive(path, ("embedding", "node_id", "label"))
    if "embedding" not in found:
        with zipfile.ZipFile(path) as archive:
            names = [name.removesuffix(".npy") for name in archive.namelist()]
        raise InputError(f"{path}: no key 'embedding'; found {', '.join(names) or 'no keys'}")
    return found


def _write_npy(path: Path, columns: Columns) -> None:
    np.save(path, columns["embedding"])


def _read_npy(path: Path) -> Columns:
    return {"embedding": load_array(path)}


def _write_csv(path: Path, columns: Columns) -> None:
    matrix, names = columns["embedding"], [name for name in ("node_id", "label") if name in columns]
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow([*names, *(f"e{i}" for i in range(matrix.shape[1]))])
        for start in range(0, len(matrix), _CSV_ROWS):
            rows = slice(start, start + _CSV_ROWS)
            # Text made by NumPy from float32 is the shortest that reads back to the same float32.
            left = [_cells(columns[name][rows]) for name in names]
            writer.writerows((*cells, *row) for *cells, row in zip(*left, matrix[rows].astype(str), strict=True))


def _cells(column: npt.NDArray[Any]) -> list[Any]:
    """Names and numbers as they are written: names that a spreadsheet would run are shielded."""
    cells = column.tolist()
    return [shielded(str(cell)) for cell in cells] if column.dtype.kind in "US" else cells


def _read_csv(path: Path) -> Columns:
    matrix: list[npt.NDArray[Any]] = []
    text: dict[int, list[str]] = {}
    with path.open(newline="", encoding="utf-8-sig") as stream:
        rows: Iterator[list[str]] = (row for row in csv.reader(stream) if row)
        first = next(rows, None)
        if first is None:
            raise InputError(f"{path}: the file is empty")
        header = [name.strip() for name in first]
        if _is_numeric(first):
            rows, header = chain([first], rows), [""] * len(first)
        text = {i: [] for i, name in enumerate(header) if name in ("node_id", "label")}
        # Row by row: a table of all cells as text would take ten times the matrix.
        for number, row in enumerate(rows, start=1):
            if len(row) != len(header):
                raise InputError(f"{path}: row {number} has {len(row)} columns, expected {len(header)}")
            numbers = [cell for i, cell in enumerate(row) if i not in text]
            try:
                matrix.append(np.array(numbers, dtype=np.float32))
            except ValueError as error:
                raise InputError(f"{path}: row {number}: {error}; expected numbers") from error
            for i, cells in text.items():
                cells.append(unshielded(row[i]))
    columns: Columns = {"embedding": np.array(matrix, dtype=np.float32)}
    return columns | {header[i]: _integers_if_all(np.array(cells, dtype=str)) for i, cells in text.items()}


def _is_numeric(cells: list[str]) -> bool:
    try:
        [float(cell) for cell in cells]
    except ValueError:
        return False
    return True


def _integers_if_all(cells: npt.NDArray[Any]) -> npt.NDArray[Any]:
    try:
        integers = cells.astype(np.int64)
    except (ValueError, OverflowError):
        return cells
    # "007" is a name, not the number 7: only what prints back the same is taken for an integer.
    return integers if bool((integers.astype(str) == cells).all()) else cells


def _write_parquet(path: Path, columns: Columns) -> None:
    pandas = import_pandas(path)
    matrix = columns["embedding"]
    table: Columns = {name: columns[name] for name in ("node_id", "label") if name in columns}
    table |= {f"e{i}": matrix[:, i] for i in range(matrix.shape[1])}
    pandas.DataFrame(table).to_parquet(path, engine="pyarrow", index=False)


def _read_parquet(path: Path) -> Columns:
    pandas = import_pandas(path)
    check_parquet(path)
    frame = pandas.read_parquet(path, engine="pyarrow")
    named = [name for name in ("node_id", "label") if name in frame.columns]
    columns: Columns = {"embedding": frame.drop(columns=named).to_numpy()}
    for name in named:
        column = frame[name].to_numpy()
        columns[name] = column.astype(str) if column.dtype == object else column
    return columns


def check_parquet(path: Path) -> None:
    """Refuse a file that would take more than half of this machine's memory: runs of equal numbers pack to nothing."""
    import pyarrow.parquet

    note = pyarrow.parquet.read_metadata(path)
    if note.num_rows * note.num_columns * 8 > physical_memory() // 2:
        found = f"{note.num_rows:,} rows of {note.num_columns:,} columns"
        raise InputError(f"{path}: declares {found}, which take more than half of this machine's memory")


def _write_pt(path: Path, columns: Columns) -> None:
    # Tensors and lists of strings are all that torch.load(weights_only=True) needs to know.
    content = {name: v.tolist() if v.dtype.kind in "US" else torch.from_numpy(v) for name, v in columns.items()}
    try:
        torch.save(content, path)
    except RuntimeError as error:  # its own word for a full disk
        raise OSError(_first_line(error)) from error


def _read_pt(path: Path) -> Columns:
    content = load_tensors(path)
    if isinstance(content, Tensor):
        content = {"embedding": content}
    if not isinstance(content, dict) or "embedding" not in content:
        raise InputError(f"{path}: expected a tensor or a dict with the key 'embedding'")
    found = {name: content[name] for name in ("embedding", "node_id", "label") if name in content}
    for name, values in found.items():
        if isinstance(values, Tensor):
            check_extent(values, path, name)
    return {name: _array(values) for name, values in found.items()}


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _array(values: Any) -> npt.NDArray[Any]:
    return values.numpy() if isinstance(values, Tensor) else np.asarray(values)


WRITERS: dict[str, Callable[[Path, Columns], None]] = {
    ".npz": _write_npz,
    ".npy": _write_npy,
    ".csv": _write_csv,
    ".parquet": _write_parquet,
    ".pt": _write_pt,
}
READERS: dict[str, Callable[[Path], Columns]] = {
    ".npz": _read_npz,
    ".npy": _read_npy,
    ".csv": _read_csv,
    ".parquet": _read_parquet,
    ".pt": _read_pt,
}

_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def shielded(name: str) -> str:
    """`name` with an apostrophe in front if a spreadsheet would run it."""
    return f"'{name}" if _FORMULA.match(name) and not _NUMBER.fullmatch(name) else name


def unshielded(cell: str) -> str:
    """The name that `shielded` made `cell` of."""
    return cell[1:] if cell[:1] == "'" and shielded(cell[1:]) == cell else cell


EMBEDDING_SUFFIXES = tuple(WRITERS)
