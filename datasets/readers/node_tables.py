"""Feature and label tables that stand beside a graph."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from genurl_graph.datasets.readers import tables as text
from genurl_graph.datasets.readers.checks import dense_features, encode_labels, sparse_features, unique_ids
from genurl_graph.datasets.readers.images import is_idx, read_classes
from genurl_graph.datasets.readers.sparse_parts import csr_from_arrays
from genurl_graph.datasets.readers.tables import Ids, Layout
from genurl_graph.exceptions import InputError
from genurl_graph.inputs.embeddings import check_parquet
from genurl_graph.inputs.safe_load import load_archive, load_array

TEXT_SUFFIXES = (".csv", ".tsv", ".txt")
FEATURE_SUFFIXES = (*TEXT_SUFFIXES, ".npy", ".npz", ".parquet")
LABEL_SUFFIXES = (*TEXT_SUFFIXES, ".npy")


@dataclass(frozen=True)
class NodeTable:
    """Features or labels, one row a node, with `ids` where the file names the nodes."""

    path: Path
    values: Tensor
    ids: Ids | None = None
    label_names: list[str] | None = None


def read_features(path: Path) -> NodeTable:
    """Read a feature table [n, f].

    ``.csv``, ``.tsv``, ``.txt`` and ``.parquet`` may name the nodes in their first column: it is taken for
    ids if its header says so (id, node, node_id, name, index or nothing) or its cells are not numbers.
    ``.npy`` holds a matrix; ``.npz`` the key `x`, or CSR parts with prefix ``attr_`` or none
    (`scipy.sparse.save_npz`).

    Raises
    ------
    InputError
        If the file cannot be read, a cell is not a finite number, or the suffix is none of these.
    """
    suffix = check_suffix(path, FEATURE_SUFFIXES, "features")
    if suffix == ".npy":
        return NodeTable(path, dense_features(load_array(path), str(path)))
    if suffix == ".npz":
        return NodeTable(path, features_from_npz(load_archive(path), str(path)))
    return _from_parquet(path) if suffix == ".parquet" else features_from_text(text.sniff(path))


def features_from_text(layout: Layout) -> NodeTable:
    """Read a text table whose layout is known: see `read_features`."""
    named = layout.header is not None and layout.header[0].lower() in text.ID_NAMES
    first = 1 if named or not text.is_number(layout.first[0]) else 0
    numbers = list(range(first, len(layout.first)))
    if not numbers:
        raise InputError(f"{layout.path}: no feature columns beside the ids")
    ids, values = text.load(layout, list(range(first)), numbers)
    names = [layout.header[number] for number in numbers] if layout.header else None
    x = dense_features(values, str(layout.path), names, lambda row: f"{row} (line {text.line_of(layout, row)})")
    return NodeTable(layout.path, x, ids[0] if ids else None)


def features_from_npz(arrays: dict[str, npt.NDArray[Any]], where: str) -> Tensor:
    """Features under `x`, ``attr_*`` or SciPy's own keys: float32 [n, f], dense or `torch.sparse_csr`."""
    if "x" in arrays and "attr_data" in arrays:
        raise InputError(f"{where}: features under both 'x' and 'attr_data', expected one of them")
    if "x" in arrays:
        return dense_features(arrays["x"], f"{where}: x")
    if "attr_data" in arrays:
        return sparse_features(csr_from_arrays(arrays, "attr_", where), f"{where}: attr_*")
    if "indptr" in arrays:
        kind = as_scalar_text(arrays.get("format"))
        if kind not in ("csr", None):
            raise InputError(f"{where}: SciPy format {kind!r}, expected 'csr'")
        return sparse_features(csr_from_arrays(arrays, "", where), where)
    raise InputError(f"{where}: keys {', '.join(arrays) or 'none'}, expected x, attr_* or SciPy's CSR keys")


def read_labels(path: Path) -> NodeTable:
    """Read labels: one column in the order of the nodes, or two columns id, label; ``.npy`` and idx: an array [n].

    Whole numbers from 0 are kept; names are coded in alphabetical order, with `label_names`.

    Raises
    ------
    InputError
        If the file cannot be read, has other columns, or is named none of .csv, .tsv, .txt, .npy, -idx1-ubyte[.gz].
    """
    idx = is_idx(path)
    if idx or check_suffix(path, LABEL_SUFFIXES, "labels") == ".npy":
        y, names = encode_labels(read_classes(path) if idx else load_array(path), str(path))
        return NodeTable(path, y, label_names=names)
    layout = text.sniff(path)
    width = len(layout.first)
    if width > 2:
        raise InputError(f"{path}: {width} columns, expected one (label) or two (id, label)")
    columns, _ = text.load(layout, [width - 1], [])
    ids = text.load(layout, [0], [])[0][0] if width == 2 else None
    values = columns[0] if isinstance(columns[0], np.ndarray) else _numbers_or_names(columns[0])
    y, names = encode_labels(values, str(path))
    return NodeTable(path, y, ids, names)


def check_suffix(path: Path, expected: tuple[str, ...], what: str) -> str:
    """Suffix of a file that must exist and end with one of `expected`."""
    if not path.exists():
        raise InputError(f"{what}: {path} does not exist")
    if path.is_dir():
        raise InputError(f"{what}: {path} is a folder, expected a file")
    suffix = path.suffix.lower()
    if suffix not in expected:
        found = f"suffix {suffix!r}" if suffix else "no suffix"
        raise InputError(f"{what}: {path} has {found}, expected one of {', '.join(expected)}")
    return suffix


def as_scalar_text(value: npt.NDArray[Any] | None) -> str | None:
    """A string stored as a 0-d array (SciPy's `format`), or None."""
    if value is None or value.ndim:
        return None
    item = value.item()
    return item.decode() if isinstance(item, bytes) else str(item)


def _numbers_or_names(cells: list[str]) -> npt.NDArray[Any]:
    return np.array(cells, dtype=np.float64) if all(map(text.is_number, cells)) else np.array(cells)


def _from_parquet(path: Path) -> NodeTable:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise InputError(f"{path}: Parquet needs the extra: pip install 'genurl-graph[parquet]'") from error
    try:
        check_parquet(path)
        table = pyarrow.parquet.read_table(path)
    except (OSError, pyarrow.ArrowException) as error:
        raise InputError(f"{path}: cannot be read as Parquet: {error}") from error
    names = list(table.column_names)
    numeric = [
        pyarrow.types.is_integer(t) or pyarrow.types.is_floating(t) or pyarrow.types.is_boolean(t)
        for t in table.schema.types
    ]
    ids: Ids | None = None
    # pandas keeps a named index as a column of this name.
    first = 1 if names and (not numeric[0] or names[0].lower() in text.ID_NAMES) else 0
    if first:  # a column of names, or one whose name says so
        column = table.column(0).to_pylist()
        if None in column:
            raise InputError(f"{path}: column {names[0]!r}: row {column.index(None)} has no node id")
        whole = all(type(value) is int for value in column)
        ids = np.array(column, dtype=np.int64) if whole else [str(value) for value in column]
    odd = [name for name, good in zip(names[first:], numeric[first:], strict=True) if not good]
    if odd:
        raise InputError(f"{path}: column {odd[0]!r} has type {table.schema.field(odd[0]).type}, expected numbers")
    values = np.empty((table.num_rows, len(names) - first), dtype=np.float64)
    for position in range(first, len(names)):
        values[:, position - first] = table.column(position).to_numpy()  # an empty cell becomes NaN
    return NodeTable(path, dense_features(values, str(path), names[first:]), ids)


class NodeIndex:
    """Positions of n node ids, which are whole numbers (int64 [n]) or names.

    Parameters
    ----------
    ids
        The ids, in the order of the nodes.
    where
        What the ids come from, for messages.

    Raises
    ------
    InputError
        If an id occurs twice.
    """

    def __init__(self, ids: Ids, where: str) -> None:
        self.ids = ids
        self.where = where
        if isinstance(ids, np.ndarray):
            self._order = np.argsort(ids, kind="stable")
            self._sorted = ids[self._order]
            twice = self._sorted[1:] == self._sorted[:-1]
            if twice.any():
                raise InputError(f"{where}: node id {self._sorted[1:][twice][0]} occurs more than once")
        else:
            unique_ids(ids, where)
        self._by_name: dict[str, int] | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def names(self) -> list[str] | None:
        """The ids as text, or None where they are just 0 .. n-1."""
        if isinstance(self.ids, np.ndarray):
            if np.array_equal(self.ids, np.arange(len(self.ids))):
                return None
            return [str(number) for number in self.ids.tolist()]
        return plain_ids(self.ids)

    def find(self, ids: Ids) -> npt.NDArray[np.int64]:
        """Position of each id, -1 where there is none."""
        if isinstance(ids, np.ndarray) and isinstance(self.ids, np.ndarray):
            place = np.searchsorted(self._sorted, ids).clip(max=len(self._sorted) - 1)
            return np.where(self._sorted[place] == ids, self._order[place], -1)
        if self._by_name is None:
            self._by_name = dict(zip(map(str, _listed(self.ids)), range(len(self.ids)), strict=True))
        keys = map(str, _listed(ids))
        return np.fromiter(map(self._by_name.get, keys, repeat(-1)), np.int64, len(ids))


def plain_ids(names: list[str]) -> list[str] | None:
    """The names, or None where they are just "0" .. "n-1" and say nothing."""
    return None if names == list(map(str, range(len(names)))) else names


def _listed(ids: Ids) -> list[str] | list[int]:
    return ids.tolist() if isinstance(ids, np.ndarray) else ids
