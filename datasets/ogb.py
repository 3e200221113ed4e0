"""Read node and link data sets of the Open Graph Benchmark from their raw files, without pickle or prompts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor

from genurl_graph.datasets.registry import DatasetInfo
from genurl_graph.exceptions import InputError, wrong
from genurl_graph.inputs.safe_load import load_tensors

if TYPE_CHECKING:
    from torch_geometric.data import Data


def read_ogb(entry: DatasetInfo, root: Path) -> Data:
    """Read ``raw/*.csv.gz`` and ``split/<name>/*.csv.gz`` in the layout of OGB's archives (Hu et al., 2020).

    Returns
    -------
    Data
        x float32 [n, f]; edge_index int64 [2, E], undirected (arXiv's citations are directed, products holds
        one direction of each edge); y int64 [n], -1 where the label is absent; boolean masks [n] of the
        official split.

    Raises
    ------
    InputError
        If the files contradict each other: number of nodes, node indices out of range.
    """
    from torch_geometric.data import Data
    from torch_geometric.utils import to_undirected

    folder = root / entry.folder
    x = read_features(folder)
    n = len(x)
    label_file = folder / "raw" / "node-label.csv.gz"
    label = read_table(label_file, np.float64)[:, 0]
    _check_rows(label_file, label, n, "num-node-list.csv.gz")
    edge_file = folder / "raw" / "edge.csv.gz"
    edge_index = node_indices(edge_file, n, columns=2).t().contiguous()
    (split,) = entry.pyg
    masks = {
        f"{key}_mask": _mask(folder / "split" / split / f"{file}.csv.gz", n)
        for key, file in (("train", "train"), ("val", "valid"), ("test", "test"))
    }
    return Data(
        x=x,
        edge_index=to_undirected(edge_index, num_nodes=n),
        y=torch.from_numpy(np.nan_to_num(label, nan=-1).astype(np.int64)),
        **masks,
    )


def read_features(folder: Path) -> Tensor:
    """Features of the nodes, float32 [n, f], as many as ``raw/num-node-list.csv.gz`` says."""
    n = int(read_table(folder / "raw" / "num-node-list.csv.gz", np.int64)[0, 0])
    file = folder / "raw" / "node-feat.csv.gz"
    x = read_table(file, np.float32)
    _check_rows(file, x, n, "num-node-list.csv.gz")
    return torch.from_numpy(x)


def _check_rows(path: Path, table: Any, n: int, of: str) -> None:
    if len(table) != n:
        raise wrong(path, f"{len(table)} rows", f"{n} ({of})")


def _mask(path: Path, n: int) -> Tensor:
    mask = torch.zeros(n, dtype=torch.bool)
    mask[node_indices(path, n, columns=1)[:, 0]] = True
    return mask


def node_indices(path: Path, n: int, columns: int) -> Tensor:
    """Table of nodes, int64 [rows, columns]; InputError for another width, or for nodes that do not exist."""
    table = read_table(path, np.int64)
    if table.shape[1] != columns:
        raise wrong(path, f"{table.shape[1]} columns", columns)
    if table.min() < 0 or table.max() >= n:
        row = int(((table < 0) | (table >= n)).any(axis=1).argmax())
        raise wrong(f"{path}: line {row + 1}", table[row].tolist(), f"nodes from 0 to {n - 1}")
    return torch.from_numpy(table)


def read_table(path: Path, dtype: type[np.generic]) -> npt.NDArray[Any]:
    """Table [rows, columns] of a gzipped CSV without header."""
    try:
        table: npt.NDArray[Any] = pd.read_csv(path, header=None, dtype=dtype).to_numpy()
    except pd.errors.EmptyDataError as error:
        raise InputError(f"{path}: the file is empty") from error
    except (OSError, EOFError, ValueError, OverflowError) as error:
        raise InputError(f"{path}: cannot be read as numbers: {error}") from error
    return table


def read_ogb_links(entry: DatasetInfo, root: Path) -> Data:
    """Read ``raw/*.csv.gz`` and ``split/<name>/{valid,test}.pt`` in the layout of OGB's link archives.

    Returns
    -------
    Data
        x float32 [n, f]; the training edges alone, each in both directions, as edge_index int64 [2, E] and edge_weight
        float32 [E]; val_edge, val_edge_neg, test_edge and test_edge_neg, int64 [2, m]: the official pairs to be ranked.

    Raises
    ------
    InputError
        If the files contradict each other, or a split holds anything but a dictionary of arrays of numbers.
    """
    from torch_geometric.data import Data

    folder = root / entry.folder
    x = read_features(folder)
    n = len(x)
    edges = node_indices(folder / "raw" / "edge.csv.gz", n, columns=2).t()
    weight_file = folder / "raw" / "edge_weight.csv.gz"
    weight = torch.from_numpy(read_table(weight_file, np.float32)[:, 0])
    _check_rows(weight_file, weight, edges.size(1), "edge.csv.gz")
    (split,) = entry.pyg
    pairs = {}
    for name, file in (("val", "valid"), ("test", "test")):
        found = folder / "split" / split / f"{file}.pt"
        stored = load_arrays(found)
        pairs[f"{name}_edge"] = _pairs(stored, "edge", found, n)
        pairs[f"{name}_edge_neg"] = _pairs(stored, "edge_neg", found, n)
    return Data(
        x=x,
        edge_index=torch.cat([edges, edges.flip(0)], 1),
        edge_weight=weight.repeat(2),
        **pairs,
    )


def load_arrays(path: Path) -> dict[str, Any]:
    """A dictionary of arrays or tensors that ``torch.save`` wrote; whatever else the file holds is refused unread.

    The unpickler is torch's restricted one. It may build arrays of whole and floating numbers; it runs no code.
    """
    make = np.zeros(0).__reduce__()[0]  # numpy's own constructor of unpickled arrays, which has moved
    numbers = [type(np.dtype(name)) for name in ("int32", "int64", "float32", "float64")]
    makers = [(make, f"numpy.{core}.multiarray._reconstruct") for core in ("core", "_core")]
    allowed: list[Any] = [*makers, np.ndarray, np.dtype, *numbers]
    found = load_tensors(path, "arrays of numbers", allowed)
    if not isinstance(found, dict):
        raise wrong(path, type(found).__name__, "a dictionary of arrays")
    return found


def _pairs(stored: dict[str, Any], key: str, path: Path, n: int) -> Tensor:
    table = np.asarray(stored.get(key))
    if table.ndim != 2 or table.shape[1] != 2 or table.dtype.kind != "i":
        raise wrong(f"{path}: {key}", f"shape {list(table.shape)}", "pairs of nodes [m, 2]")
    if table.size and (table.min() < 0 or table.max() >= n):
        raise wrong(f"{path}: {key}", f"nodes from {table.min()} to {table.max()}", f"0 to {n - 1}")
    return torch.from_numpy(table.astype(np.int64)).t().contiguous()
