"""Relations on disk: in the file of the entities' embedding (``.npz``, ``.pt``) or in a second table beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.embeddings import (
    check_parquet,
    check_path_of_both,
    path_beside,
    read_embedding,
    shielded,
    unshielded,
    write_embedding,
)
from genurl_graph.inputs.safe_load import load_archive, load_tensors, readable
from genurl_graph.inputs.validation import check_finite, check_matrix
from genurl_graph.runtime.files import StrPath, atomic_write

# What .npz and .pt hold beside the embedding, and the columns of a table before those of the embedding.
KEYS = ("relation_embedding", "relation_id")
BEFORE = ("relation_id", "inverse")


class Relations(NamedTuple):
    """Vectors of R relations and of their inverses.

    Attributes
    ----------
    embedding : Tensor, float32, shape [2 R, d]
        Row R + r is that of the inverse of relation r.
    names : array, shape [R]
        Text or whole numbers.
    """

    embedding: Tensor
    names: npt.NDArray[Any]


def relation_path(path: StrPath) -> Path:
    """The file that relations are written to: `path` itself, or the table beside it.

    Examples
    --------
    >>> relation_path("out/umls.csv").name, relation_path("out/umls.npz").name
    ('umls-relations.csv', 'umls.npz')
    """
    return path_beside(path, "relations")


def check_relation_path(path: StrPath) -> Path:
    """Check, before any long work, that entities and relations can be written.

    Raises
    ------
    InputError
        As `genurl_graph.inputs.embeddings.check_embedding_path`; ``.npy``, which holds one matrix.
    """
    return check_path_of_both(path, "relations", "relations")


def write_relations(
    path: StrPath,
    embedding: Any,
    relations: Any,
    node_id: Any = None,
    relation_id: Sequence[Any] | None = None,
    label: Any = None,
) -> None:
    """Write an embedding, a row an entity, and the vectors of the relations.

    ``.npz`` and ``.pt`` hold, beside the keys of `genurl_graph.inputs.embeddings.write_embedding`:
    ``relation_embedding`` float32 [2 R, d], of which the second half are the inverses, and ``relation_id`` [R].
    ``.csv`` and ``.parquet`` get a second file, ``NAME-relations.csv``, with the columns ``relation_id``, ``inverse``
    (0 or 1) and ``e0`` to ``e{d-1}``.

    Parameters
    ----------
    path
        ``.npz``, ``.pt``, ``.csv`` or ``.parquet``.
    embedding : matrix [n, d]
    relations : matrix [2 R, d']
    node_id, relation_id : sequence, optional
        n and R names; numbers by default.
    label : sequence, optional
        n labels of the entities.

    Raises
    ------
    InputError
        As `check_relation_path`; an odd number of rows, or another number of names.
    """
    target = check_relation_path(path)
    held = relations.detach().cpu().numpy() if isinstance(relations, Tensor) else relations
    matrix = np.ascontiguousarray(check_matrix(held, "relations", sparse=False, finite=False), dtype=np.float32)
    if len(matrix) % 2:
        raise wrong("relations", f"{len(matrix):,} rows", "two for each relation: its own and that of its inverse")
    names = _names(relation_id, len(matrix) // 2)
    beside = relation_path(target)
    if beside == target:
        more = dict(zip(KEYS, (matrix, names), strict=True))
        write_embedding(target, embedding, node_id, label, more)
        return
    write_embedding(target, embedding, node_id, label)
    with atomic_write(beside) as temporary:
        TABLES[target.suffix.lower()](temporary, names, matrix)


def read_relations(path: StrPath) -> Relations | None:
    """Relations out of what `write_relations` wrote; None where the file of an embedding has none.

    Raises
    ------
    InputError
        A file that cannot be read, or whose parts do not fit together.
    """
    path = Path(path)
    read_embedding(path)  # refuses what is none
    beside = relation_path(path)
    if beside == path:
        held = _load(path)
    elif not beside.is_file():
        held = None
    else:
        with readable(beside, "relations"):
            held = _read_table(beside)
    if held is None:
        return None
    matrix, names = held
    fits = matrix.ndim == 2 and names.ndim == 1 and len(matrix) == 2 * len(names) and matrix.dtype.kind == "f"
    if not fits:
        found = f"relations of shape {list(matrix.shape)} and {len(names):,} names"
        raise wrong(beside, found, "two rows for each relation")
    check_finite(matrix, f"{beside}: relations")
    return Relations(torch.from_numpy(np.ascontiguousarray(matrix, dtype=np.float32)), names)


def _names(relation_id: Sequence[Any] | None, count: int) -> npt.NDArray[Any]:
    names = np.arange(count) if relation_id is None else np.asarray(relation_id)
    if names.dtype.kind not in "iuUS":
        names = np.array([*map(str, names)])
    if names.shape != (count,):
        raise wrong("relation_id", f"{len(names):,} names", f"{count:,}, one for each relation")
    return names


def _load(path: Path) -> tuple[npt.NDArray[Any], npt.NDArray[Any]] | None:
    suffix = path.suffix.lower()
    if suffix not in (".npz", ".pt"):
        return None
    content: Any = load_archive(path, KEYS) if suffix == ".npz" else load_tensors(path)
    held = {key: np.asarray(content[key]) for key in KEYS if isinstance(content, dict) and key in content}
    if not held:
        return None
    absent = [key for key in KEYS if key not in held]
    if absent:
        raise wrong(path, f"relations without {', '.join(absent)}", "all of their parts")
    return held[KEYS[0]], held[KEYS[1]]


def _table(names: npt.NDArray[Any], matrix: npt.NDArray[np.float32]) -> Any:
    import pandas as pd

    inverse = np.arange(2).repeat(len(names))
    columns = dict(zip(BEFORE, (np.concatenate([names, names]), inverse), strict=True))
    return pd.DataFrame(columns | {f"e{i}": column for i, column in enumerate(matrix.T)})


def _write_csv(path: Path, names: npt.NDArray[Any], matrix: npt.NDArray[np.float32]) -> None:
    if names.dtype.kind in "US":
        names = np.array([shielded(str(name)) for name in names], dtype=object)
    _table(names, matrix).to_csv(path, index=False, encoding="utf-8", lineterminator="\r\n")


def _write_parquet(path: Path, names: npt.NDArray[Any], matrix: npt.NDArray[np.float32]) -> None:
    _table(names, matrix).to_parquet(path, engine="pyarrow", index=False)


def _read_table(path: Path) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    import pandas as pd

    if path.suffix.lower() == ".parquet":
        check_parquet(path)
        table = pd.read_parquet(path, engine="pyarrow")
    else:
        table = pd.read_csv(path, dtype={"relation_id": str}, na_filter=False, encoding="utf-8")
        table["relation_id"] = table["relation_id"].map(unshielded)
    absent = [name for name in BEFORE if name not in table.columns]
    if absent:
        raise wrong(path, f"no column {', '.join(absent)}", f"{', '.join(BEFORE)} and those of the embedding")
    count = len(table) // 2
    names = table["relation_id"].to_numpy()
    inverse = table["inverse"].to_numpy()
    if (
        len(table) % 2
        or not np.array_equal(inverse, np.arange(2).repeat(count))
        or (names[:count] != names[count:]).any()
    ):
        raise wrong(path, "rows in another order", "every relation, and then their inverses in the same order")
    names = names[:count].astype(str) if names.dtype == object else names[:count]
    whole = names.dtype.kind == "U" and count and all(name.isdigit() and str(int(name)) == name for name in names)
    return table.drop(columns=[*BEFORE]).to_numpy(np.float32), names.astype(np.int64) if whole else names


TABLES: dict[str, Callable[[Path, npt.NDArray[Any], npt.NDArray[np.float32]], None]] = {
    ".csv": _write_csv,
    ".parquet": _write_parquet,
}
