"""Files of features and labels that stand beside a graph, and files of tables altogether."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from genurl_graph.datasets.readers.checks import as_features, encode_labels
from genurl_graph.datasets.readers.columnar import (
    COLUMNAR_SUFFIXES,
    read_arrow_blocks,
    read_columnar,
    read_parquet_blocks,
)
from genurl_graph.datasets.readers.compressed import plain_suffix
from genurl_graph.datasets.readers.images import is_idx, read_classes
from genurl_graph.datasets.readers.sparse_parts import csr_from_arrays
from genurl_graph.datasets.readers.tables import read_blocks, read_table
from genurl_graph.exceptions import InputError, wrong
from genurl_graph.inputs.reading import Reading, ReadOptions
from genurl_graph.inputs.safe_load import load_archive, load_array
from genurl_graph.inputs.tables.edges import count
from genurl_graph.inputs.tables.nodes import NodeTable
from genurl_graph.inputs.tables.table import Table

# Text that is named as a list of edges is one.
EDGE_SUFFIXES = (".edges", ".edgelist", ".ncol")
TEXT_SUFFIXES = (".csv", ".tsv", ".txt", ".tab", ".dat", *EDGE_SUFFIXES)
FEATURE_SUFFIXES = (".csv", ".tsv", ".txt", ".tab", ".dat", ".npy", ".npz", *COLUMNAR_SUFFIXES)
# Cells that are read together.
BLOCK_CELLS = 1 << 22
LABEL_SUFFIXES = (".csv", ".tsv", ".txt", ".tab", ".dat", ".npy", *COLUMNAR_SUFFIXES)


def read_features(path: Path, options: ReadOptions) -> Table | NodeTable:
    """Read a feature table: a `Table`, whose columns are decided later, or a matrix [n, f].

    ``.npy`` holds a matrix; ``.npz`` the key `x`, or CSR parts with prefix ``attr_`` or none (`scipy.sparse.save_npz`).

    Raises
    ------
    InputError
        If the file cannot be read, or its suffix is none of `FEATURE_SUFFIXES`.
    """
    suffix = check_suffix(path, FEATURE_SUFFIXES, "features")
    if suffix not in (".npy", ".npz"):
        return read_any_table(path, options)
    if suffix == ".npy":
        matrix = as_features(load_array(path), str(path))
    else:
        matrix = features_from_npz(load_archive(path), str(path))
    n, f = matrix.shape
    line = f"read {path.name} as features: {n:,} rows, {f:,} columns, no ids: the rows are the nodes in order"
    record = {"features": {"file": path.name, "as": "features", "rows": n, "columns": f}}
    return NodeTable(str(path), n, matrix=matrix, reading=Reading((line,), record))


def read_labels(path: Path, options: ReadOptions) -> Table | NodeTable:
    """Read a label table: a `Table`, whose columns are decided later; ``.npy`` and idx: an array [n].

    Raises
    ------
    InputError
        If the file cannot be read, or is named none of `LABEL_SUFFIXES`, -idx1-ubyte[.gz].
    """
    idx = is_idx(path)
    if not idx and check_suffix(path, LABEL_SUFFIXES, "labels") != ".npy":
        return read_any_table(path, options)
    y, names = encode_labels(read_classes(path) if idx else load_array(path), str(path))
    classes = len(np.unique(y.numpy()))
    line = f"read {path.name} as labels: {len(y):,} rows, {classes:,} classes, no ids: the rows are the nodes in order"
    record = {"labels": {"file": path.name, "as": "labels", "rows": len(y), "classes": classes}}
    return NodeTable(str(path), len(y), y=y, label_names=names, reading=Reading((line,), record))


def read_any_table(path: Path, options: ReadOptions, main: bool = False) -> Table:
    """Read a text, Parquet or Arrow file as a table.

    Parameters
    ----------
    path : Path
    options : ReadOptions
    main : bool
        Whether the separator is meant for this file above all; another file beside it may have another one.
    """
    if plain_suffix(path) in COLUMNAR_SUFFIXES:
        return read_columnar(path)
    try:
        return read_table(path, options)
    except InputError:
        if main or options.separator is None:
            raise
    return read_table(path, replace(options, separator=None))


def find_tables(paths: Sequence[Path], what: str) -> list[Path]:
    """Files of tables, of files, folders (the tables in them) and patterns such as ``part-*.parquet``.

    Files without a byte, and hidden ones, which programs leave beside their parts, are left out.

    Raises
    ------
    InputError
        For a path where there is nothing, a file that is no table, or no file at all.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(each for each in path.iterdir() if each.is_file() and each.name[0] not in "._")
            tables = [each for each in inside if plain_suffix(each) in (*TEXT_SUFFIXES, *COLUMNAR_SUFFIXES)]
            if not tables:
                shown = f"{count(len(inside), 'file')}, such as {inside[0].name}" if inside else "no files"
                raise wrong(f"{what}: {path}", shown, "tables, as text, Parquet or Arrow")
            found += tables
        elif not path.exists() and any(mark in path.name for mark in "*?["):
            found += sorted(path.parent.glob(path.name))
        else:
            check_suffix(path, (*TEXT_SUFFIXES, *COLUMNAR_SUFFIXES), what)
            found.append(path)
    full = [path for path in dict.fromkeys(found) if path.stat().st_size]
    if not full:
        raise wrong(what, f"nothing in {count(len(found), 'file')}" if found else "no files", "tables with rows")
    return full


def read_any_blocks(path: Path, options: ReadOptions) -> Iterator[Table]:
    """`read_any_table` in blocks of some megabytes, of which one is in memory at a time; a table without rows has none.

    Raises
    ------
    InputError
        As of `read_any_table`.
    """
    suffix = plain_suffix(path)
    if suffix not in COLUMNAR_SUFFIXES:
        return read_blocks(path, options)
    if suffix != ".parquet":
        return read_arrow_blocks(path, BLOCK_CELLS // 64)
    return read_parquet_blocks(path, cells=BLOCK_CELLS)


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


def check_suffix(path: Path, expected: tuple[str, ...], what: str) -> str:
    """Suffix of a file that must exist and end with one of `expected`, perhaps compressed."""
    if not path.exists():
        raise InputError(f"{what}: {path} does not exist")
    if path.is_dir():
        raise wrong(f"{what}: {path}", "a folder", "a file")
    suffix = plain_suffix(path)
    if suffix not in expected:
        raise wrong(f"{what}: {path}", f"suffix {suffix!r}" if suffix else "no suffix", f"one of {', '.join(expected)}")
    return suffix
