"""A batch as a data set of its own: P of its nearest neighbours, Q of all its pairs, any pairwise loss between them."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genurl_graph.config.parameters import LossConfig, NeighborConfig, SimilarityConfig
from genurl_graph.exceptions import wrong
from genurl_graph.graph.affinity import similarities
from genurl_graph.losses.terms import LossTerms
from genurl_graph.objectives.base import divergence, log_q
from genurl_graph.objectives.pair_distances import block_distances, normalize

# Losses in which an edge, with both of its terms, stands beside the pairs that are none.
_APART = ("bce", "infonce")


def check_batch_neighbors(near: NeighborConfig, size: int) -> None:
    """InputError for neighbours that a batch of `size` samples does not have."""
    if near.metric not in ("euclidean", "cosine"):
        raise wrong("neighbors.metric", repr(near.metric), "euclidean or cosine in batches")
    if not 1 <= near.n_neighbors < size:
        expected = f"1 to {size - 1}, one less than there are samples in a batch"
        raise wrong("neighbors.n_neighbors", near.n_neighbors, expected)


@torch.no_grad()
def batch_similarities(x: Tensor, near: NeighborConfig, similarity: SimilarityConfig) -> tuple[Tensor, Tensor]:
    """P of a batch.

    Parameters
    ----------
    x : Tensor, float32, shape [B, f]
    near, similarity
        Resolved; checked by `check_batch_neighbors`.

    Returns
    -------
    edge_index : Tensor, int64, shape [2, E]
        Symmetric, sorted by row.
    p : Tensor, float32, shape [E]
        Calibrated similarities > 0.
    """
    x = normalize(x, near.metric)
    distance = block_distances(x, x, near.metric).fill_diagonal_(math.inf)
    length, column = distance.topk(near.n_neighbors, largest=False)
    length = length.clamp_min(0)
    length = length if near.metric == "cosine" else length.sqrt()
    row = torch.arange(len(x), device=x.device).repeat_interleave(near.n_neighbors)
    assert not isinstance(similarity.perplexity, str)
    edges = torch.stack([row, column.reshape(-1)])
    edges, p = similarities(edges, length.reshape(-1), len(x), similarity.perplexity, similarity.nu)
    return edges[:, p > 0], p[p > 0]


def same_sample(size: int, device: torch.device) -> Tensor:
    """Edges between the two views of each of `size` samples, int64 [2, 2 size]: first views come before second ones."""
    own = torch.arange(size, device=device)
    return torch.stack([torch.cat([own, own + size]), torch.cat([own + size, own])])


def of_both_views(edge_index: Tensor, p: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Edges [2, E] among `size` samples as edges [2, 4 E] among both views of each end, and their p."""
    shift = torch.tensor([[[0], [0]], [[0], [size]], [[size], [0]], [[size], [size]]], device=edge_index.device)
    return (edge_index + shift).transpose(0, 1).reshape(2, -1), p.repeat(4)


def block_terms(z: Tensor, edge_index: Tensor, p: Tensor, loss: LossConfig, others: Tensor | None = None) -> LossTerms:
    """Divergence of Q from P over all ordered pairs i != j of a batch, exactly, per unit of similarity.

    Parameters
    ----------
    z : Tensor, float32, shape [B, d]
        Embedding, as it left the encoder.
    edge_index : Tensor, int64, shape [2, E]
        First ends are rows of the batch.
    p : Tensor, float32, shape [E]
    loss : LossConfig
    others : Tensor, float32, shape [m, d], optional
        Nodes B, B + 1, ... that pairs of the batch may lead to: more columns, no rows of their own.
    """
    row, col = edge_index
    z = normalize(z, loss.metric)
    columns = z if others is None else torch.cat([z, normalize(others, loss.metric)])
    block = log_q(block_distances(z, columns, loss.metric), loss)
    # A sample and itself are no pair.
    weight = torch.ones_like(block).fill_diagonal_(0.0)
    if loss.name in _APART:
        weight[row, col] = 0.0
    terms = divergence(loss, block[row, col], p, block, row, len(z), neg_weight=weight)
    mass = float(p.double().sum()) or 1.0
    attraction, repulsion = loss.exaggeration * terms.attraction / mass, terms.repulsion / mass
    return LossTerms(attraction + repulsion, attraction, repulsion)
