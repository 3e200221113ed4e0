"""Read ogbl-collab of the Open Graph Benchmark: its raw files, and its split without running anything from a pickle."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from genurl_graph.datasets.entry import DatasetInfo
from genurl_graph.datasets.ogb import node_indices, read_features, read_table
from genurl_graph.exceptions import InputError
from genurl_graph.tensor_files import load_tensors

if TYPE_CHECKING:
    from torch_geometric.data import Data


def read_ogb_links(entry: DatasetInfo, root: Path) -> "Data":
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
    weight = torch.from_numpy(read_table(weight_file, np.dtype(np.float32))[:, 0])
    if len(weight) != edges.size(1):
        raise InputError(f"{weight_file}: {len(weight)} rows, expected {edges.size(1)} (edge.csv.gz)")
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
        raise InputError(f"{path}: found {type(found).__name__}; expected a dictionary of arrays")
    return found


def _pairs(stored: dict[str, Any], key: str, path: Path, n: int) -> Tensor:
    table = np.asarray(stored.get(key))
    if table.ndim != 2 or table.shape[1] != 2 or table.dtype.kind != "i":
        raise InputError(f"{path}: {key!r} has shape {list(table.shape)}; expected pairs of nodes [m, 2]")
    if table.size and (table.min() < 0 or table.max() >= n):
        raise InputError(f"{path}: {key!r} holds nodes from {table.min()} to {table.max()}; expected 0 to {n - 1}")
    return torch.from_numpy(table.astype(np.int64)).t().contiguous()
