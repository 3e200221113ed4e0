"""How far a graph's edges and its nodes' features tell the same story: what adaptive merging decides by.

Two questions, each answered by an area under a ROC curve (0.5 is chance), neither with labels:

* do features foretell the edges of a node (`edge_auc`)?
* do one half of the feature columns foretell neighbours by the other half (`feature_consistency`)?

Where the second answer is no, features are no witness, and the first says nothing about the edges. Where it is yes, it
is what the first is measured by (`node_reliability`): edges need not foretell features well, but about as well as
feature neighbours do. Ours, not the paper's: GenURL's text on merging is not public to us.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from genurl_graph.inputs.sparse import to_scipy_or_numpy

# Nodes that every end of an edge is compared with. 64 draws bring one edge's rank to within 0.06 (one deviation), and
# what is used is a mean over edges.
REFERENCES = 64
# Coherence from which on features are a good witness, and from which on they tell much by themselves (the preset
# graph-coherent.toml). Citation graphs have 0.58 to 0.76, Photo, Coauthor CS and WebKB 0.82 to 0.92.
COHERENT, CONSISTENT = 0.6, 0.8
# Agreement over coherence, both less chance: edges are not believed up to the first, and fully from the second on.
# Graphs whose edges join like labels lie at 0.6 (Photo) and more, WebKB's and Actor at 0.41 and less
# (`tests/benchmarks/bench_merging.py`).
DOUBTED, TRUSTED = 0.4, 0.6
# Splits of the columns that `feature_consistency` is averaged over.
_HALVINGS = 3
# Sample of `feature_consistency`: nodes, and neighbours of each.
_QUERIES, _NEAREST = 512, 5
# Nodes among which neighbours of that sample are looked for.
_POOL = 50_000
# Graphs with more edges are judged by so many of each node, on average.
_MANY_EDGES, _EDGES_A_NODE = 1 << 24, 16
# Numbers of float64 held at a time.
_CELLS = 1 << 23


def edge_auc(x: Tensor, edge_index: Tensor, metric: str, seed: int = 0) -> Tensor:
    """For each edge (i, j), how often j's features are nearer to i's than a random node's are.

    The rank of a neighbour among random nodes needs no scale; its mean is the area under the ROC curve with which
    features tell edges from non-edges.

    Parameters
    ----------
    x : Tensor, float32, shape [n, f]
        Features, strided or CSR; never made dense.
    edge_index : Tensor, int64, shape [2, E]
    metric : "cosine" or "euclidean"
        Similarity, or nearness, of features.
    seed : int
        Of the `REFERENCES` random nodes, the same for all edges.

    Returns
    -------
    Tensor, float32, shape [E]
        In [0, 1]; ties count one half. On the CPU. Memory O(E + n `REFERENCES`), in slices.
    """
    return _agreement(FeatureRows.of(x, metric), edge_index, seed)


def feature_consistency(x: Tensor, metric: str, seed: int = 0) -> float:
    """How far a random half of the feature columns foretells who is near by the other half.

    The nearest nodes of a sample by one half are ranked among random nodes by the other half. Columns that repeat each
    other's topics agree; noise, constants and one-hot counters do not.

    Parameters
    ----------
    x, metric, seed
        As in `edge_auc`.

    Returns
    -------
    float
        In [0, 1], 0.5 is chance; also for a single column, which has no halves.
    """
    import numpy as np

    rows, (n, f) = to_scipy_or_numpy(x), x.shape
    if f < 2 or n < 3:
        return 0.5
    generator, k = np.random.default_rng(seed), min(_NEAREST, n - 1)
    found = []
    for _ in range(_HALVINGS):
        columns, queries = generator.permutation(f), generator.permutation(n)[:_QUERIES]
        matrix = rows
        if n > _POOL:
            # Of very many nodes some stand for all, so that no copy is made of the others' features.
            pool = np.union1d(queries, generator.permutation(n)[:_POOL])
            matrix, queries = matrix[pool], np.searchsorted(pool, queries)
        matrix = matrix.astype(np.float64)
        first, second = (FeatureRows(matrix[:, half], metric) for half in (columns[: f // 2], columns[f // 2 :]))
        pairs = np.stack([queries.repeat(k), _nearest(first, queries, k, generator)])
        found.append(float(_agreement(second, torch.from_numpy(pairs), seed).double().mean()))
    return sum(found) / len(found)


def _nearest(rows: FeatureRows, queries: Any, k: int, generator: Any) -> Any:
    """The k nodes nearest to each query, one after the other; ties fall at random."""
    import numpy as np

    found = []
    step = max(1, _CELLS // rows.size)
    for start in range(0, len(queries), step):
        part = queries[start : start + step]
        near = rows.seen_from(part)
        near = near + np.abs(near).max() * 1e-9 * generator.random(near.shape)
        near[np.arange(len(part)), part] = -np.inf
        found.append(np.argpartition(-near, k - 1, axis=1)[:, :k].reshape(-1))
    return np.concatenate(found)


def sampled_edges(edge_index: Tensor, num_nodes: int, seed: int = 0) -> Tensor:
    """The edges that `node_reliability` is to be asked about: all of them, or of very many a random part.

    An edge of node i is kept with probability ``min(1, 16 / degree_i)``: nodes with few edges keep them.

    Parameters
    ----------
    edge_index : Tensor, int64, shape [2, E]
    num_nodes, seed : int

    Returns
    -------
    Tensor, int64, shape [2, E']
    """
    if edge_index.size(1) <= _MANY_EDGES:
        return edge_index
    row = edge_index[0]
    share = _EDGES_A_NODE / torch.bincount(row, minlength=num_nodes).float()
    drawn = torch.rand(row.numel(), generator=torch.Generator().manual_seed(seed))
    return edge_index[:, drawn.to(row.device) < share[row]]


def confidence(coherence: float) -> float:
    """How good a witness features of this coherence are, in [0, 1]: 0 at chance, 1 from `COHERENT` on."""
    return min(max((coherence - 0.5) / (COHERENT - 0.5), 0.0), 1.0)


def node_reliability(
    agreement: Tensor, edge_index: Tensor, num_nodes: int, coherence: float, prior: float = 4.0
) -> Tensor:
    """How far each node's edges are to be believed, in [0, 1], by features of some coherence.

    The share ``(agreement - 1/2) / (coherence - 1/2)`` says how edges compare with feature neighbours at telling who is
    alike: trust is 0 up to `DOUBTED` and 1 from `TRUSTED` on. The mean of a few edges says little: it is drawn to the
    graph's as if by `prior` edges more.

    Parameters
    ----------
    agreement : Tensor, float, shape [E]
        As `edge_auc` returns.
    edge_index : Tensor, int64, shape [2, E]
        Symmetric.
    num_nodes : int
    coherence : float
        As `feature_consistency` returns. At chance and below nothing is told: trust is 1.
    prior : float
        In edges, > 0.

    Returns
    -------
    Tensor, float32, shape [n]
    """
    from torch_geometric.utils import scatter

    if agreement.numel() == 0 or coherence <= 0.5:
        return torch.ones(num_nodes, device=agreement.device)
    row = edge_index[0].to(agreement.device)
    total = torch.as_tensor(scatter(agreement, row, dim_size=num_nodes, reduce="sum"))
    degree = torch.bincount(row, minlength=num_nodes)
    mean = (total + prior * agreement.mean()) / (degree + prior)
    share = (mean - 0.5) / (coherence - 0.5)
    return ((share - DOUBTED) / (TRUSTED - DOUBTED)).clamp(0, 1)


def _agreement(rows: FeatureRows, edge_index: Tensor, seed: int) -> Tensor:
    import numpy as np

    source, target = edge_index.cpu().numpy()
    drawn = np.random.default_rng(seed).permutation(rows.size)[:REFERENCES]
    to_drawn = rows.to(drawn)
    found = np.empty(len(source), dtype=np.float32)
    step = max(1, _CELLS // max(REFERENCES, rows.width))
    for start in range(0, len(source), step):
        i, j = source[start : start + step], target[start : start + step]
        near, others = rows.between(i, j)[:, None], to_drawn[i]
        # Neither the node itself nor the neighbour that is ranked is a random node.
        counted = (drawn[None, :] != i[:, None]) & (drawn[None, :] != j[:, None])
        beaten = np.where(counted, (others < near) + 0.5 * (others == near), 0.0).sum(1)
        # Where nothing is left to be compared with (two nodes), chance.
        size = counted.sum(1)
        found[start : start + step] = np.where(size > 0, beaten / np.maximum(size, 1), 0.5)
    return torch.from_numpy(found)


class FeatureRows:
    """Rows of a matrix, strided or CSR, float64; of unit length for the cosine. Larger nearness is nearer."""

    def __init__(self, matrix: Any, metric: str) -> None:
        from sklearn.preprocessing import normalize

        self.matrix = normalize(matrix) if metric == "cosine" else matrix
        self.sparse = hasattr(matrix, "nnz")
        self.size = int(matrix.shape[0])
        # Numbers that a gathered row takes.
        self.width = max(1, int(matrix.nnz / max(self.size, 1)) if self.sparse else int(matrix.shape[1]))
        self.squares = self._sums(self.matrix, self.matrix) if metric == "euclidean" else None

    @classmethod
    def of(cls, x: Tensor, metric: str) -> FeatureRows:
        return cls(to_scipy_or_numpy(x).astype(np.float64), metric)

    def to(self, nodes: Any) -> Any:
        """Nearness of all rows to `nodes`, dense [n, len(nodes)], up to a constant of the row."""
        products = self._products(nodes)
        return products if self.squares is None else 2 * products - self.squares[nodes]

    def seen_from(self, nodes: Any) -> Any:
        """Nearness of `nodes` to all rows, dense [len(nodes), n], up to a constant of the node."""
        products = self._products(nodes).T
        return products if self.squares is None else 2 * products - self.squares

    def between(self, i: Any, j: Any) -> Any:
        """Nearness of the pairs, [len(i)], on the scale of `to`."""
        products = self._sums(self.matrix[i], self.matrix[j])
        return products if self.squares is None else 2 * products - self.squares[j]

    def lengths(self, i: Any, j: Any) -> Any:
        """Distances of the pairs, [len(i)], >= 0: ``1 - cos`` or ``|x - y|``, as `genurl_graph.graph.knn` has them."""
        products = self._sums(self.matrix[i], self.matrix[j])
        if self.squares is None:
            return (1 - products).clip(0)
        return np.sqrt((self.squares[i] + self.squares[j] - 2 * products).clip(0))

    def _products(self, nodes: Any) -> Any:
        products = self.matrix @ self.matrix[nodes].T
        return products.toarray() if self.sparse else products

    def _sums(self, a: Any, b: Any) -> Any:
        return a.multiply(b).sum(1).A1 if self.sparse else np.einsum("ed,ed->e", a, b)
