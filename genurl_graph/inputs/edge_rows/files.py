"""Embeddings of edges on disk: a row an edge, with its ends and its key, so that they join back to the user's table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.edge_rows.edge_set import EdgeEnds
from genurl_graph.inputs.embeddings import (
    check_embedding_path,
    check_parquet,
    read_embedding,
    shielded,
    unshielded,
    write_embedding,
)
from genurl_graph.inputs.safe_load import load_archive, load_tensors, readable
from genurl_graph.inputs.validation import check_matrix
from genurl_graph.runtime.files import StrPath, atomic_write

Columns = dict[str, npt.NDArray[Any]]
ENDS = ("source", "target", "key")


def write_edge_embedding(path: StrPath, embedding: Any, edges: EdgeEnds, label: Any = None) -> None:
    """Write an embedding of edges in their order.

    ``.csv`` and ``.parquet`` have the columns ``source``, ``target``, ``key`` (if the edges have one), ``label`` (if
    given) and ``e0`` to ``e{d-1}``. ``.npz`` and ``.pt`` hold, beside the keys of
    `genurl_graph.inputs.embeddings.write_embedding`, ``source``, ``target`` and ``key``, [m] each; ``node_id`` counts
    the edges.

    Parameters
    ----------
    path
        ``.npz``, ``.pt``, ``.csv``, ``.parquet``, or ``.npy``, which holds the matrix alone.
    embedding
        float32 [m, d].
    edges : EdgeEnds
    label
        m labels.

    Raises
    ------
    InputError
        As of `write_embedding`; an embedding of other edges.
    """
    target = check_embedding_path(path)
    if len(embedding) != len(edges):
        raise wrong("embedding", f"{len(embedding):,} rows", f"{len(edges):,}, one for each edge")
    ends = columns_of(edges)
    if target.suffix.lower() not in (".csv", ".parquet"):
        write_embedding(target, embedding, None, label, None if target.suffix.lower() == ".npy" else ends)
        return
    import pandas as pd

    given = embedding.detach().cpu().numpy() if hasattr(embedding, "detach") else np.asarray(embedding)
    matrix = check_matrix(given, "embedding", sparse=False, empty=True, finite=False).astype(np.float32)
    held: dict[str, Any] = {**ends, **({} if label is None else {"label": _array(label)})}
    if target.suffix.lower() == ".csv":
        # Names that a spreadsheet would run as formulas are shielded.
        held = {name: _shielded(cells) for name, cells in held.items()}
    table = pd.DataFrame(held | {f"e{i}": column for i, column in enumerate(matrix.T)})
    with atomic_write(target) as temporary:
        if target.suffix.lower() == ".csv":
            table.to_csv(temporary, index=False, encoding="utf-8", lineterminator="\r\n", na_rep="nan")
        else:
            table.to_parquet(temporary, engine="pyarrow", index=False)


def read_edge_embedding(path: StrPath) -> Columns:
    """Read what `write_edge_embedding` wrote, or any other file of an embedding.

    Returns
    -------
    dict
        As of `genurl_graph.inputs.embeddings.read_embedding`; and, where the file has them, source, target and key [m].

    Raises
    ------
    InputError
        As there.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix in (".csv", ".parquet") and path.is_file():
        with readable(path, "an embedding of edges"):
            found = _read_table(path)
        if found is not None:
            return found
    columns = read_embedding(path)
    with readable(path, "an embedding of edges"):
        if suffix == ".npz":
            columns |= load_archive(path, ENDS)
        elif suffix == ".pt":
            content: Any = load_tensors(path)
            if isinstance(content, dict):
                columns |= {name: np.asarray(content[name]) for name in ENDS if name in content}
    return columns


def columns_of(edges: EdgeEnds) -> Columns:
    """Names of the ends, and the key where there is one: integers where all of them are, else text."""
    source, target = edges.ends.cpu().numpy()
    held: dict[str, Any] = {"source": source, "target": target}
    if edges.node_id is not None:
        named = _array([*edges.node_id])
        held = {"source": named[source], "target": named[target]}
    if edges.key is not None:
        held["key"] = _array([*edges.key])
    return held


def _array(values: Any) -> npt.NDArray[Any]:
    """Integers where all values are, else text; no objects, which would need a pickle."""
    if hasattr(values, "detach"):
        values = values.detach().cpu().numpy()
    held = values if isinstance(values, np.ndarray) else [*values]
    whole = not isinstance(held, np.ndarray) and all(isinstance(each, int | np.integer) for each in held)
    found = np.asarray(held, dtype=np.int64) if whole else held
    if isinstance(found, np.ndarray) and found.dtype.kind in "iufUS":
        return found
    return np.array([str(value) for value in found], dtype=str)


def _shielded(cells: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.array([shielded(str(cell)) for cell in cells], dtype=object) if cells.dtype.kind in "US" else cells


def _read_table(path: Path) -> Columns | None:
    import pandas as pd

    if path.suffix.lower() == ".parquet":
        check_parquet(path)
        table = pd.read_parquet(path, engine="pyarrow")
    else:
        head = pd.read_csv(path, nrows=0, encoding="utf-8-sig")
        if not {*ENDS[:2]} <= {*head.columns}:
            return None
        table = pd.read_csv(path, dtype=dict.fromkeys((*ENDS, "label"), str), na_filter=False, encoding="utf-8-sig")
    if not {*ENDS[:2]} <= {*table.columns}:
        return None
    named = [name for name in (*ENDS, "label") if name in table.columns]
    columns: Columns = {"embedding": table.drop(columns=named).to_numpy(np.float32)}
    for name in named:
        cells = table[name].to_numpy()
        if path.suffix.lower() == ".csv":
            cells = np.array([unshielded(str(cell)) for cell in cells], dtype=str)
        columns[name] = _integers(cells.astype(str) if cells.dtype == object else cells)
    columns["node_id"] = np.arange(len(table))
    return columns


def _integers(cells: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Integers where every cell is written as one: "007" is a name."""
    if cells.dtype.kind not in "US":
        return cells
    try:
        found = cells.astype(np.int64)
    except (ValueError, OverflowError):
        return cells
    return found if bool((found.astype(str) == cells).all()) else cells
