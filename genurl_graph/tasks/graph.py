"""Graph embedding: adjacency and feature edges, mixed into P; a GNN or MLP; two views of the graph.

P is ``w_ij + feature_weight * p_ij / (1 + degree)``: the given edges with weight 1 (or their own) and the calibrated
similarities of feature-space neighbours, which count for more where a node has few edges of its own. The graph a GNN
propagates over is chosen apart from P (``merge.propagation_weight``).
"""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor

from genurl_graph._csr import csr_tensor
from genurl_graph.config import Config
from genurl_graph.encoders import GNNS, Features, make_encoder
from genurl_graph.exceptions import InputError
from genurl_graph.graph import How, merge_graphs
from genurl_graph.inputs import Input
from genurl_graph.objective import PairwiseObjective
from genurl_graph.propagation import Propagation
from genurl_graph.tasks import Problem
from genurl_graph.tasks.common import feature_similarities, predefined_weights


def build(data: Input, x: Tensor | None, config: Config, seed: int, device: torch.device) -> Problem:
    """Graph-embedding problem.

    Parameters
    ----------
    data : Input
        With edges; features where there are some (they make the feature edges).
    x : Tensor or None
        Features as the encoder sees them (normalised). None: every node is its own feature (one-hot), as is usual
        for graphs without features, and there are no feature edges.
    config : Config
    seed : int
        Of everything random before training.
    device : torch.device

    Raises
    ------
    InputError
        Unsuitable configuration or input.
    """
    if config.merge.how not in ("mix", "union"):
        raise InputError(f"merge.how: found {config.merge.how!r}; expected mix or union")
    n, weight = data.num_nodes, predefined_weights(data)
    neighbors, knn_edges, knn_p = None, None, None
    for name in ("feature_weight", "propagation_weight"):
        value = getattr(config.merge, name)
        if not 0 <= value < math.inf:
            raise InputError(f"merge.{name}: found {value}; expected a finite number >= 0")
    if data.x is not None and (config.merge.feature_weight > 0 or config.merge.propagation_weight > 0):
        neighbors, knn_edges, knn_p = feature_similarities(data, config, seed, device)
    share = None if knn_p is None else by_degree(data, cast(Tensor, knn_edges), knn_p)
    in_p = config.merge.feature_weight > 0
    merged = merge_graphs(
        data.edge_index,
        weight,
        knn_edges if in_p else None,
        share if in_p else None,
        num_nodes=n,
        how=cast(How, config.merge.how),
        feature_weight=config.merge.feature_weight if in_p else 1.0,
    )
    positive = merged.edge_weight > 0
    features = Features(_one_hot(n) if x is None else x)
    encoder = make_encoder(
        config.encoder.name,
        features.num_features,
        config.encoder.dim,
        hidden=config.encoder.hidden,
        layers=config.encoder.layers,
        dropout=config.encoder.dropout,
        norm=config.encoder.norm,
        start=torch.randn(n, config.encoder.dim) if config.encoder.name == "free" else None,
    )
    objective = PairwiseObjective(
        encoder,
        None if config.encoder.name == "free" else features,
        propagation_graph(data, knn_edges, share, config) if config.encoder.name in GNNS else None,
        merged.edge_index[:, positive].cpu(),
        merged.edge_weight[positive].cpu(),
        n,
        config.loss,
        config.sampling,
        config.views,
    )
    return Problem(objective, merged, neighbors)


def by_degree(data: Input, knn_edges: Tensor, knn_p: Tensor) -> Tensor:
    """Similarities of feature edges, divided by ``1 + mean degree of both ends`` in the given graph.

    Features decide where a node has few edges of its own, and fade beside many. With one weight for all nodes Cora
    scored best with a small one and CiteSeer, whose nodes have fewer edges, with a larger one.
    """
    given = merge_graphs(data.edge_index, None, None, None, num_nodes=data.num_nodes)
    degree = torch.bincount(given.edge_index[0], minlength=data.num_nodes).to(knn_p.device)
    return knn_p / (1 + degree[knn_edges].float().mean(0))


def propagation_graph(data: Input, knn_edges: Tensor | None, share: Tensor | None, config: Config) -> Propagation:
    """The graph a GNN propagates over: the given edges and, if asked for, feature edges (weighted `by_degree`)."""
    n, weight = data.num_nodes, predefined_weights(data)
    extra = config.merge.propagation_weight
    if extra > 0 and knn_edges is not None and share is not None:
        graph = merge_graphs(data.edge_index, weight, knn_edges, share, num_nodes=n, how="mix", feature_weight=extra)
    else:
        graph = merge_graphs(data.edge_index, weight, None, None, num_nodes=n)
    return Propagation(graph.edge_index.cpu(), graph.edge_weight.cpu(), n)


def _one_hot(n: int) -> Tensor:
    nodes = torch.arange(n)
    return csr_tensor(torch.arange(n + 1), nodes, torch.ones(n), (n, n))
