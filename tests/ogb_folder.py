"""A graph as a folder in the exact layout of OGB's node-property archives (ogbn-arxiv's), for tests."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas
import torch


def write_table(path: Path, rows: Any, decimals: str | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    compression = {"method": "gzip", "compresslevel": 1, "mtime": 0}
    pandas.DataFrame(rows).to_csv(path, header=False, index=False, float_format=decimals, compression=compression)


def write_ogb(root: Path, x: Any, edge_index: Any, y: Any, seed: int = 0) -> Path:
    """Write ``root/ogbn_arxiv``: each undirected edge in one direction, and a split by years, which are drawn.

    Shares of the split are ogbn-arxiv's: papers until 2017 for training, 2018 for validation, later ones for test.
    """
    folder, rng = root / "ogbn_arxiv", np.random.default_rng(seed)
    edges = np.asarray(edge_index)
    edges = edges[:, edges[0] < edges[1]]
    turned = rng.random(edges.shape[1]) < 0.5
    edges = np.where(turned, edges[::-1], edges)
    year = rng.choice(np.arange(2015, 2021), size=len(y), p=[0.18, 0.18, 0.18, 0.18, 0.14, 0.14])
    write_table(folder / "raw" / "edge.csv.gz", edges.T)
    write_table(folder / "raw" / "node-feat.csv.gz", np.asarray(x), "%.6f")
    write_table(folder / "raw" / "node-label.csv.gz", np.asarray(y))
    write_table(folder / "raw" / "node_year.csv.gz", year)
    write_table(folder / "raw" / "num-node-list.csv.gz", [len(y)])
    write_table(folder / "raw" / "num-edge-list.csv.gz", [edges.shape[1]])
    for part, chosen in (("train", year <= 2017), ("valid", year == 2018), ("test", year >= 2019)):
        write_table(folder / "split" / "time" / f"{part}.csv.gz", np.flatnonzero(chosen))
    (folder / "processed").mkdir()
    (folder / "mapping").mkdir()
    write_table(folder / "mapping" / "nodeidx2paperid.csv.gz", {"node idx": np.arange(len(y))})
    (folder / "RELEASE_v1.txt").touch()
    return root


def write_blocks(root: Path, n: int = 240, classes: int = 3, columns: int = 12) -> Path:
    """A stochastic block model with noisy features, where no real data is needed."""
    from torch_geometric.utils import stochastic_blockmodel_graph

    torch.manual_seed(0)
    y = torch.arange(n) % classes
    order = y.argsort()
    inside, outside = 6 * classes / n, 6 / n
    probabilities = torch.full((classes, classes), outside).fill_diagonal_(inside)
    edge_index = order[stochastic_blockmodel_graph(torch.bincount(y), probabilities)]
    x = torch.nn.functional.one_hot(y, columns) + torch.randn(n, columns)
    return write_ogb(root, x, edge_index, y)


def write_coauthor_cs(root: Path, data_root: Path, columns: int = 128) -> Path:
    """Coauthor CS, its bags of words reduced to as many dense columns as ogbn-arxiv has."""
    from sklearn.decomposition import TruncatedSVD

    from genurl_graph import datasets
    from genurl_graph.evaluation.protocols import raw_features

    data = datasets.load("coauthor-cs", data_root)
    x = TruncatedSVD(columns, n_iter=2, random_state=0).fit_transform(raw_features(data))
    return write_ogb(root, x, data.edge_index, data.y)
