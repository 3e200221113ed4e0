"""kNN edges by the features of each modality, and all of them as one graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from genurl_graph.config import Config
from genurl_graph.graph.knn import knn
from genurl_graph.graph.knn_edges import calibrate_distances
from genurl_graph.graph.triples.modality_weight import modality_weight
from genurl_graph.graph.triples.relation_rows import RelationRows
from genurl_graph.inputs.normalize import is_bag
from genurl_graph.inputs.triples import Modality


class ModalityEdges(NamedTuple):
    """kNN edges of all modalities among n entities.

    Attributes
    ----------
    edge_index : Tensor, int64, shape [2, E]
        Both directions, sorted, each once.
    p : Tensor, float32, shape [E]
        Similarities >= 0, of a row at most 1 in all.
    weights : dict of str to float
        Of each modality (`genurl_graph.graph.triples.modality_weight`).
    """

    edge_index: Tensor
    p: Tensor
    weights: dict[str, float]


def modality_edges(
    modalities: Sequence[Modality],
    rows: RelationRows,
    num_entities: int,
    config: Config,
    seed: int,
    device: torch.device,
) -> ModalityEdges:
    """kNN edges by each modality, weighed by what they tell of the triples.

    Entities are compared with those that have features of the same modality; one without any has no edges by it. The
    similarities of a row sum to 1 by each modality, are multiplied by the modality's weight and added up; where the
    weights of all are more than 1 together, they are divided by that sum. A modality of noise has weight 0 and changes
    nothing.

    Parameters
    ----------
    modalities : sequence of Modality
    rows : RelationRows
        Of the training triples.
    num_entities : int
    config : Config
        Resolved: ``neighbors`` (its metric may be "auto": cosine for bags of words and fingerprints, else Euclidean)
        and ``similarity``.
    seed, device
        As of a recipe.
    """
    parts, weights = [], {}
    for modality in modalities:
        edges, p = near_entities(modality, num_entities, config, seed, device)
        weights[modality.name] = weight = modality_weight(rows, edges, num_entities, seed)
        total = torch.zeros(num_entities).index_add_(0, edges[0], p)
        parts.append((edges[0] * num_entities + edges[1], p / total[edges[0]] * weight))
    if not parts:
        return ModalityEdges(torch.empty(2, 0, dtype=torch.int64), torch.empty(0), {})
    keys, place = torch.unique(torch.cat([part[0] for part in parts]), return_inverse=True)
    p = torch.zeros(len(keys)).index_add_(0, place, torch.cat([part[1] for part in parts]))
    edges = torch.stack([keys // num_entities, keys % num_entities])
    return ModalityEdges(edges, p / max(sum(weights.values()), 1.0), weights)


def near_entities(
    modality: Modality, num_entities: int, config: Config, seed: int, device: torch.device
) -> tuple[Tensor, Tensor]:
    """kNN edges by one modality, int64 [2, E], both directions, sorted, and their similarities, float32 [E]."""
    c, count = config.neighbors, len(modality.entity)
    k = min(c.n_neighbors, count - 1)
    if k < 1:
        return torch.empty(2, 0, dtype=torch.int64), torch.empty(0)
    metric = c.metric
    if metric == "auto":
        metric = "cosine" if is_bag(modality.x, modality.plan) else "euclidean"
    found = knn(modality.x, k, metric=metric, backend=c.backend, memory_mb=c.memory_mb, device=device, seed=seed)
    row = torch.arange(count, device=found.indices.device).repeat_interleave(k)
    edges = torch.stack([row, found.indices.reshape(-1)])
    edges, p = calibrate_distances(edges, found.distances.reshape(-1), count, config)
    # Ascending entities: sorted edges stay sorted.
    return modality.entity[edges.cpu()], p.cpu()
