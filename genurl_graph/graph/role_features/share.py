"""What explains the edges of a graph, without labels: the roles of their ends, or the communities that these are in."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from genurl_graph.inputs.sparse import csr_tensor, row_pointers

# Blocks of nodes at most, and fewer on small graphs: (sqrt n) / 2; rounds of the subspace iteration.
BLOCKS, ROUNDS = 16, 30
# Nodes are cut into blocks so many times, each time from another start: where there are no blocks, cuts differ. All
# cuts together are of so many nodes at most, but for a single one: one of 200,000 nodes takes 7 CPU seconds.
CUTS, MOST = 4, 40_000


class RoleShare(NamedTuple):
    """Figures of a graph in [0, 1], which no label and no seed decides.

    Attributes
    ----------
    of_edges : float
        Share of roles in what blocks of nodes tell about the edges; the rest is that of communities. On a graph of hubs
        (planted airports) .98, motifs around a ring .47, Cora .37, nested communities .17.
    by_communities : float
        Share of the variance of role features that lies between communities, beyond chance: 0 where nodes of every role
        are in every community. Motifs around a ring .01, Cora .08, CiteSeer .10.
    """

    of_edges: float
    by_communities: float


def role_share(roles: Tensor, edge_index: Tensor) -> RoleShare:
    """How much of the edges roles explain, rather than communities, and how much of the roles communities explain.

    Nodes are cut into blocks by k-means, once of role features and once of the leading eigenvectors of the normalised
    adjacency. What blocks b tell of an edge (i, j), in nats, is the gain in likelihood of a stochastic block model:
    ``I(b_i; b_j)``, less what chance would give (Miller, 1955), which both are granted, and for roles also
    ``2 KL(b_i || b)``, how far ends of edges differ from nodes, which is the part of the degrees (Karrer & Newman,
    arXiv 1008.3926). Where neither tells anything, .5. The variance between communities is the adjusted R^2.

    Parameters
    ----------
    roles : Tensor, float32, shape [n, c]
        `role_features`.
    edge_index : Tensor, int64, shape [2, E]
        Symmetric, sorted by row, without self loops.

    Returns
    -------
    RoleShare
        Means of up to `CUTS` cuts. Time O((n + E) `BLOCKS` `ROUNDS`).
    """
    n = len(roles)
    blocks = min(BLOCKS, int(math.sqrt(n) / 2))
    if blocks < 2 or edge_index.size(1) == 0:
        return RoleShare(0.5, 0.0)
    x = roles.double().numpy()
    spread = x.std(0)
    x = (x - x.mean(0))[:, spread > 1e-9] / spread[spread > 1e-9]
    shares, between = [], []
    for seed in range(max(1, min(CUTS, MOST // n))):
        own = sum(_gain(_blocks(x, blocks, seed), edge_index))
        community = _blocks(_leading(edge_index, n, blocks, seed), blocks, seed)
        near = _gain(community, edge_index)[0]
        shares.append(own / (own + near) if own + near > 0 else 0.5)
        between.append(_between(community, x))
    return RoleShare(float(np.mean(shares)), float(np.mean(between)))


def _gain(block: np.ndarray[Any, Any], edge_index: Tensor) -> tuple[float, float]:
    """Mutual information of the blocks of both ends beyond chance, at least 0, and the degrees' part."""
    k, m = int(block.max()) + 1, edge_index.size(1)
    row, col = block[edge_index.numpy()]
    joint = np.bincount(row * k + col, minlength=k * k).reshape(k, k) / m
    ends, nodes = joint.sum(1), np.bincount(block, minlength=k) / len(block)
    both = np.outer(ends, ends)
    there, seen = joint > 0, ends > 0
    information = float((joint[there] * np.log(joint[there] / both[there])).sum())
    return max(information - k * (k - 1) / 2 / m, 0.0), 2 * float((ends[seen] * np.log(ends[seen] / nodes[seen])).sum())


def _between(block: np.ndarray[Any, Any], x: np.ndarray[Any, Any]) -> float:
    """Share of the variance of standardised columns that lies between blocks, adjusted for chance, at least 0."""
    size = np.bincount(block)
    n, k = len(block), int((size > 0).sum())
    if x.shape[1] == 0 or n <= k:
        return 0.0
    sums = np.zeros((len(size), x.shape[1]))
    np.add.at(sums, block, x)
    share = float((sums**2 / np.maximum(size, 1)[:, None]).sum()) / (n * x.shape[1])
    adjusted: float = 1 - (1 - share) * (n - 1) / (n - k)
    return max(adjusted, 0.0)


def _blocks(x: np.ndarray[Any, Any], count: int, seed: int) -> np.ndarray[Any, Any]:
    """Blocks of the rows of x by k-means; one where all rows are alike."""
    from sklearn.cluster import MiniBatchKMeans

    if x.shape[1] == 0 or not np.ptp(x, axis=0).any():
        return np.zeros(len(x), dtype=np.int64)
    found = MiniBatchKMeans(count, batch_size=4096, n_init=3, random_state=seed).fit_predict(x)
    return np.asarray(found, dtype=np.int64)


def _leading(edge_index: Tensor, num_nodes: int, count: int, seed: int) -> np.ndarray[Any, Any]:
    """Leading eigenvectors of ``(D + t)^-1/2 A (D + t)^-1/2`` but the first, rows of unit length, float64 [n, count].

    The mean degree t keeps small parts of the graph from being eigenvectors (Qin & Rohe, arXiv 1309.4111).
    """
    row, col = edge_index
    degree = torch.bincount(row, minlength=num_nodes).double()
    scale = (degree + degree.mean()).rsqrt()
    # A walk that stays where it is half of the time has no eigenvalues below 0.
    values = (scale[row] * scale[col]) / 2
    operator = csr_tensor(row_pointers(row, num_nodes), col, values, (num_nodes, num_nodes))
    v = torch.randn(num_nodes, count + 1, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    for _ in range(ROUNDS):
        v = torch.linalg.qr(operator @ v + v / 2).Q
    rotation = torch.linalg.eigh(v.T @ (operator @ v + v / 2)).eigenvectors.flip(1)
    found = (v @ rotation)[:, 1:]
    return np.asarray(found / found.norm(dim=1, keepdim=True).clamp_min(1e-12))
