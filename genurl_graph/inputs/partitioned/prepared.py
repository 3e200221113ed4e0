"""Prepared partitions, opened: rows of features, labels, ids and edges by partition."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.embeddings import import_parquet
from genurl_graph.inputs.input import Input
from genurl_graph.inputs.partitioned.manifest import Manifest
from genurl_graph.runtime.files import atomic_write
from genurl_graph.runtime.partitions import Store

_IDS = "ids"


@dataclass(frozen=True)
class Prepared:
    """A folder of prepared partitions.

    Arrays of `store`: ``x`` float32 [m, f] where there are features, ``y`` int64 [m] where there are labels (-1: none),
    ``crow`` int64 [m + 1] and ``col`` int32, or int64 of 2**31 nodes and more, [e]: sorted within a row, both
    directions, without self loops, each once; ``weight`` float32 [e] where there are weights.

    Examples
    --------
    >>> prepared = Prepared.open("prepared")  # doctest: +SKIP
    >>> prepared.store.load("x", 0).shape  # doctest: +SKIP
    (65536, 64)
    """

    store: Store
    manifest: Manifest

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Prepared:
        """Open a folder; InputError where it holds no prepared partitions, or not all of them."""
        folder = Path(path)
        manifest = Manifest.read(folder)
        found = cls(Store(folder, manifest.bounds), manifest)
        names = ["crow", "col"]
        names += [
            name
            for name, there in (("x", found.num_features), ("y", found.labelled), ("weight", found.weighted))
            if there
        ]
        for part in range(found.store.count):
            for file in (*(found.store.file(name, part) for name in names), found.ids_file(part)):
                if not file.is_file():
                    raise wrong(folder, f"no {file.relative_to(folder)}", "all partitions that its manifest names")
        return found

    @property
    def num_nodes(self) -> int:
        """Rows of all partitions."""
        return self.manifest.num_nodes

    @property
    def num_features(self) -> int:
        """Columns of x; 0: no features."""
        return self.manifest.num_features

    @property
    def weighted(self) -> bool:
        """Whether edges have weights."""
        return self.manifest.weighted

    @property
    def labelled(self) -> bool:
        """Whether some nodes have labels."""
        return self.manifest.labelled

    def ids_file(self, part: int) -> Path:
        """Where the ids of a partition lie."""
        return self.store.path / _IDS / f"{part:05d}.parquet"

    def ids(self, part: int) -> npt.NDArray[Any]:
        """The user's ids of a partition's rows, int64 or object (str), [m]."""
        table = import_parquet(self.ids_file(part)).read_table(self.ids_file(part))
        return np.array(table.column("id").to_numpy())

    def edges(self, part: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """The edges of a partition's rows: row and column as rows of all partitions, and weights (1 without any).

        Returns
        -------
        row, col : array, int64, shape [e]
            Sorted; every pair once, no self loops.
        weight : array, float32, shape [e]
        """
        counts = np.diff(self.store.load("crow", part))
        row = np.repeat(np.arange(*self.store.span(part)), counts)
        col = self.store.load("col", part).astype(np.int64)
        return row, col, self.store.load("weight", part) if self.weighted else np.ones(len(col), dtype=np.float32)

    def whole(self) -> Input:
        """All partitions as one input in memory, under their row numbers; for data that fits."""
        parts = range(self.store.count)
        x = torch.from_numpy(np.concatenate([*self.store.parts("x")])) if self.num_features else None
        row, col, weight = (np.concatenate(each) for each in zip(*map(self.edges, parts), strict=True))
        edge_index = torch.from_numpy(np.stack([row, col])) if len(row) or x is None else None
        names = np.concatenate([self.ids(part) for part in parts])
        weights = torch.from_numpy(weight) if self.weighted and edge_index is not None else None
        return Input(x, edge_index, weights, self.num_nodes, "numpy", names=names)


def write_ids(prepared: Path, part: int, ids: npt.NDArray[Any]) -> None:
    """Write the ids of a partition, int64 or object (str), into a folder of partitions."""
    file = prepared / _IDS / f"{part:05d}.parquet"
    parquet = import_parquet(file)
    import pyarrow

    file.parent.mkdir(parents=True, exist_ok=True)
    kind = pyarrow.int64() if ids.dtype != object else pyarrow.string()
    with atomic_write(file) as temporary:
        parquet.write_table(pyarrow.table({"id": pyarrow.array(ids, type=kind)}), temporary)
