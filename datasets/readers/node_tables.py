"""Feature and label tables that stand beside a graph."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor

from genurl_graph.datasets.readers.checks import as_features, encode_labels
from genurl_graph.datasets.readers.images import is_idx, read_classes
from genurl_graph.datasets.readers.sparse_parts import csr_from_arrays
from genurl_graph.datasets.readers.tables import ID_NAMES, Layout, is_number, read_columns, sniff
from genurl_graph.exceptions import InputError, wrong
from genurl_graph.inputs.embeddings import check_parquet
from genurl_graph.inputs.safe_load import load_archive, load_array

TEXT_SUFFIXES = (".csv", ".tsv", ".txt")
FEATURE_SUFFIXES = (*TEXT_SUFFIXES, ".npy", ".npz", ".parquet")
LABEL_SUFFIXES = (*TEXT_SUFFIXES, ".npy")


@dataclass(frozen=True)
class NodeTable:
    """Features or labels, one row a node, with `ids` (whole numbers or names) where the file names the nodes."""

    path: Path
    values: Tensor
    ids: pd.Index | None = None
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
        return NodeTable(path, as_features(load_array(path), str(path)))
    if suffix == ".npz":
        return NodeTable(path, features_from_npz(load_archive(path), str(path)))
    return _from_parquet(path) if suffix == ".parquet" else features_from_text(sniff(path))


def features_from_text(layout: Layout) -> NodeTable:
    """Read a text table whose layout is known: see `read_features`."""
    named = layout.header is not None and layout.header[0].lower() in ID_NAMES
    first = 1 if named or not is_number(layout.first[0]) else 0
    numbers = range(first, len(layout.first))
    if not numbers:
        raise wrong(layout.path, "no feature columns beside the ids", "at least one")
    ids, values = read_columns(layout, range(first), numbers)
    return NodeTable(layout.path, torch.from_numpy(values), ids[0] if ids else None)


def features_from_npz(arrays: dict[str, npt.NDArray[Any]], where: str) -> Tensor:
    """Features under `x`, ``attr_*`` or SciPy's own keys: float32 [n, f], dense or `torch.sparse_csr`."""
    if "x" in arrays and "attr_data" in arrays:
        raise wrong(where, "features under both 'x' and 'attr_data'", "one of them")
    if "x" in arrays:
        return as_features(arrays["x"], f"{where}: x")
    if "attr_data" in arrays:
        return as_features(csr_from_arrays(arrays, "attr_", where), f"{where}: attr_*")
    if "indptr" not in arrays:
        raise wrong(where, f"keys {', '.join(arrays) or 'none'}", "x, attr_* or SciPy's CSR keys")
    kind = arrays.get("format", np.array("csr"))  # SciPy's name of the format, text or bytes
    if kind.shape != () or kind.item() not in ("csr", b"csr"):
        raise wrong(where, f"SciPy format {kind.tolist()!r}", "'csr'")
    return as_features(csr_from_arrays(arrays, "", where), where)


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
    layout = sniff(path)
    width = len(layout.first)
    if width > 2:
        raise wrong(path, f"{width} columns", "one (label) or two (id, label)")
    # Apart: names in one column do not make names of the numbers in the other.
    (labels,), _ = read_columns(layout, [width - 1], [])
    ids = read_columns(layout, [0], [])[0][0] if width == 2 else None
    values = labels.to_numpy()
    if values.dtype == object:
        values = values.astype(np.float64 if all(map(is_number, values)) else str)
    y, names = encode_labels(values, str(path))
    return NodeTable(path, y, ids, names)


def check_suffix(path: Path, expected: tuple[str, ...], what: str) -> str:
    """Suffix of a file that must exist and end with one of `expected`."""
    if not path.exists():
        raise InputError(f"{what}: {path} does not exist")
    if path.is_dir():
        raise wrong(f"{what}: {path}", "a folder", "a file")
    suffix = path.suffix.lower()
    if suffix not in expected:
        raise wrong(f"{what}: {path}", f"suffix {suffix!r}" if suffix else "no suffix", f"one of {', '.join(expected)}")
    return suffix


def _from_parquet(path: Path) -> NodeTable:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise InputError(f"{path}: Parquet needs the extra: pip install 'genurl-graph[parquet]'") from error
    try:
        check_parquet(path)
        # Without pandas' own notes: a named index stays a column.
        frame = pyarrow.parquet.read_table(path).to_pandas(ignore_metadata=True)
    except (OSError, ValueError, pyarrow.ArrowException) as error:
        raise InputError(f"{path}: cannot be read as Parquet: {error}") from error
    names = [str(name) for name in frame.columns]
    numeric = [pd.api.types.is_numeric_dtype(kind) for kind in frame.dtypes]
    ids: pd.Index | None = None
    # A column of names, or one whose name says so.
    first = 1 if names and (not numeric[0] or names[0].lower() in ID_NAMES) else 0
    if first:
        column = frame.iloc[:, 0]
        if column.isna().any():
            raise wrong(path, f"no node id in row {int(column.isna().argmax())} of column {names[0]!r}", "one")
        whole = pd.api.types.is_integer_dtype(column.dtype)
        ids = pd.Index(column, dtype="int64") if whole else pd.Index([*map(str, column)], dtype=object)
    odd = [name for name, good in zip(names[first:], numeric[first:], strict=True) if not good]
    if odd:
        raise wrong(path, f"type {frame[odd[0]].dtype} of column {odd[0]!r}", "numbers")
    values = frame.iloc[:, first:].to_numpy(np.float64)  # an empty cell is NaN
    return NodeTable(path, as_features(values, str(path), names[first:]), ids)


class NodeIndex:
    """Positions of n node ids, which are whole numbers (int64) or names.

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

    def __init__(self, ids: pd.Index, where: str) -> None:
        self.ids = ids
        self.where = where
        if not ids.is_unique:
            raise wrong(where, f"node id {ids[ids.duplicated()][0]!r} more than once", "each id once")

    def __len__(self) -> int:
        return len(self.ids)

    def names(self) -> list[str] | None:
        """The ids as text, or None where they are just 0 .. n-1 and say nothing."""
        plain = pd.RangeIndex(len(self.ids))
        if self.ids.dtype != object:
            return None if self.ids.equals(plain) else [*map(str, self.ids)]
        return None if self.ids.equals(_as_names(plain)) else self.ids.tolist()

    def find(self, ids: pd.Index) -> npt.NDArray[np.int64]:
        """Position of each id, -1 where there is none."""
        own = self.ids
        if own.dtype != ids.dtype:
            own, ids = _as_names(own), _as_names(ids)
        found: npt.NDArray[np.int64] = own.get_indexer(ids)
        return found


def _as_names(ids: pd.Index) -> pd.Index:
    return pd.Index([*map(str, ids)], dtype=object)
