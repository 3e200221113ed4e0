"""Graph embedding: predefined and kNN edges, merged into P; a GNN or MLP; two views of the graph.

P is ``w_ij + feature_weight * p_ij / (1 + degree)``: the predefined edges with weight 1 (or their own) and the
calibrated similarities of kNN edges, which count for more where a node has few edges of its own. Features >= 0 may add
a node-feature bipartite graph, whose edges weigh ``column_weight / (1 + degree)`` at each node
(`genurl_graph.graph.bipartite`). The graph a GNN propagates over is chosen apart from P (``merge.propagation_weight``).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from genurl_graph.config import Config
from genurl_graph.exceptions import wrong
from genurl_graph.graph.bipartite import column_similarities
from genurl_graph.graph.edge_attributes.columns import attribute_statistics, count_columns, described_edges
from genurl_graph.graph.merge import MergedGraph, predefined_graph
from genurl_graph.graph.propagation import Propagation, is_mapped, propagated
from genurl_graph.graph.role_features import KERNEL_COLUMNS
from genurl_graph.graph.sources import (
    Sources,
    geodesic_similarities,
    mean_lack,
    mean_of_ends,
    merge_sources,
    propagation_graph,
)
from genurl_graph.graph.spectral import REGULARIZER
from genurl_graph.graph.structural_features import structure_width
from genurl_graph.inputs.hashing import hash_columns
from genurl_graph.inputs.input import Input
from genurl_graph.inputs.normalize import is_non_negative
from genurl_graph.inputs.sparse import identity
from genurl_graph.nn.build import make_encoder, trained_columns
from genurl_graph.nn.features import Features
from genurl_graph.nn.gnn import DESCRIBED, GNN, GNNS, SAMPLED
from genurl_graph.nn.mlp import RowEncoder
from genurl_graph.objectives.base import Objective
from genurl_graph.objectives.bipartite import ColumnGraph
from genurl_graph.objectives.full_batch import PairwiseObjective
from genurl_graph.objectives.mini_batch import MiniBatchObjective, NeighborBatchObjective
from genurl_graph.runtime.random import randn
from genurl_graph.tasks import TrainingProblem
from genurl_graph.tasks.evidence import goes_around
from genurl_graph.tasks.evidence.around import around_network
from genurl_graph.tasks.initialization import START_SCALE, start
from genurl_graph.tasks.metric import resolve_perplexity
from genurl_graph.tasks.prepare import gather
from genurl_graph.training.checkpoint import KeptNeighbors


def build(
    data: Input, x: Tensor | None, config: Config, seed: int, device: torch.device, kept: KeptNeighbors | None = None
) -> TrainingProblem:
    """Graph-embedding problem of a graph, whose features, where there are some, make kNN edges.

    `kept` holds the neighbours of a run that goes on.
    """
    check_merge(data, config)
    n, name = data.num_nodes, config.encoder.name
    if name == "sign" and x is None:
        raise wrong("encoder sign", "nodes without features", "features (or encoder.structure=roles)")
    sources = gather(data, config, seed, device, kept)
    # Roles go around the network: what it learns from them holds for no other graph. So do undecided features.
    around = around_network(data, x, config, device)
    own = identity(n) if x is None or goes_around(data, config) else x
    # First, and no longer needed when the larger graph of P is made.
    if name == "sign":
        features = averaged(own, propagation_edges(sources, n, config), config, device)
    else:
        features = Features(own, aside=around)
    merged = merged_graph(data, sources, config)
    edges, p = merged.similarities()
    propagation = propagation_of(data, propagation_edges(sources, n, config), config) if name in GNNS else None
    neighbors, reliability, degree = sources.neighbors, sources.summary(), sources.degree
    # As large as P, and in it.
    del sources
    first = randn((n, config.encoder.dim)) if name == "free" else None
    if first is not None and data.start is not None:
        first = start(data, None, merged, config, seed) / START_SCALE
    width = int(own.size(1))
    first_columns = feature_columns(config, width, n) if around is None else around.num_features // around.parts
    columns_of = (first_columns, n, count_columns(attribute_statistics(data)))
    encoder = make_encoder(config, width, first, None, *columns_of)
    if isinstance(encoder, GNN | RowEncoder) and encoder.components is not None:
        encoder.components.fit(features, propagation)
    if isinstance(encoder, GNN) and encoder.structure is not None:
        # Edges as rows all have a degree near 2, which tells small connected components from large ones no better.
        encoder.structure.fit(predefined_graph(data), 0.0 if config.task == "edges" else REGULARIZER)
    columns = column_graph(data, degree, config)
    if columns is not None:
        share = columns.mass / (columns.mass + merged.total_weight())
        reliability |= {"n_columns": columns.num_columns, "mass_columns": share}
    kind = PairwiseObjective
    if config.sampling.negatives == "batch":
        kind = NeighborBatchObjective if name in GNNS else MiniBatchObjective
    stages = (config.loss, config.sampling, config.views)
    read = None if name == "free" else features
    objective: Objective = kind(encoder, read, propagation, edges, p, n, *stages, columns, degree)
    return TrainingProblem(objective, merged, neighbors, reliability)


def column_graph(data: Input, degree: Tensor | None, config: Config) -> ColumnGraph | None:
    """The node-feature bipartite graph; None where it is not wanted."""
    weight = config.merge.column_weight
    weight = weight if config.merge.evidence == "none" else weight * float(config.merge.evidence)
    if weight == 0:
        return None
    if data.x is None or degree is None or not is_non_negative(data.x):
        found = "no features" if data.x is None else "features below 0"
        raise wrong("merge.column_weight", f"{weight:g} with {found}", "features >= 0, such as bags of words")
    x = hash_columns(data.x, config.input.hash_columns, signed=False)
    p = column_similarities(x, weight / (1 + degree))
    if not p.values().numel():
        raise wrong("merge.column_weight", "features that all nodes have", "some that tell nodes apart")
    return ColumnGraph(p, trained_columns(config), config.loss)


def check_merge(data: Input, config: Config) -> None:
    """InputError for settings of ``merge`` that the graph task cannot follow on `data`."""
    for stage, name in (("merge", "column_weight"), ("views", "drop_nodes")):
        if config.sampling.negatives == "batch" and (value := getattr(getattr(config, stage), name)) > 0:
            raise wrong(f"{stage}.{name}", value, "0 with sampling.negatives batch")
    if config.sampling.negatives == "batch" and config.encoder.name in DESCRIBED:
        raise wrong(
            f"encoder {config.encoder.name}", "sampling.negatives batch", f"one of {', '.join(SAMPLED)}, or sign"
        )
    if config.merge.weighting == "none" and (data.x is None or config.merge.feature_weight == 0):
        raise wrong("merge.weighting", "none without kNN edges", "features, and merge.feature_weight > 0")


def merged_graph(data: Input, sources: Sources, config: Config) -> MergedGraph:
    """The graph P lives on, as ``merge.how`` makes it of both edge sources."""
    if config.merge.how == "geodesic":
        return geodesic_similarities(data, sources, config)
    return merge_sources(sources, data.num_nodes, config.merge.feature_weight, config.merge.how)


def propagation_edges(sources: Sources, num_nodes: int, config: Config) -> MergedGraph:
    """`propagation_graph` of both edge sources: predefined and, if asked for, kNN edges; on the CPU."""
    trusted, lacking = None, 1.0
    if sources.knn_edge_index is not None and sources.reliability is not None:
        trusted = mean_of_ends(sources.reliability.to(sources.knn_edge_index.device), sources.knn_edge_index)
        lacking = mean_lack([sources.reliability], num_nodes)
    return propagation_graph(sources, trusted, num_nodes, config.merge, lacking).cpu()


def propagation_of(
    data: Input, edges: MergedGraph, config: Config, statistics: Mapping[str, Tensor] | None = None
) -> Propagation:
    """The graph that a GNN propagates over, with the attributes of its edges where the encoder reads them.

    `statistics` of the fitted graph, for another one (`genurl_graph.graph.edge_attributes.columns`).
    """
    statistics = attribute_statistics(data) if statistics is None else statistics
    reads = config.encoder.name in DESCRIBED and data.types is None
    columns = described_edges(edges.edge_index, data, statistics) if reads else None
    return Propagation(*edges[:2], data.num_nodes, columns)


def edges_of_new(data: Input, config: Config, seed: int) -> MergedGraph:
    """`propagation_edges` of a graph that came after the training, by the rules of the fitted one."""
    config = settings_of_new(config, data.num_nodes)
    return propagation_edges(gather(data, config, seed, torch.device("cpu")), data.num_nodes, config)


def settings_of_new(config: Config, num_nodes: int) -> Config:
    """Settings of a graph that came after the training: of the fitted one, without P."""
    # It may be smaller than the neighbourhoods of the fitted one.
    k = min(config.neighbors.n_neighbors, num_nodes - 1)
    perplexity = resolve_perplexity(config, k)
    return config.override(
        {"neighbors.n_neighbors": k, "similarity.perplexity": perplexity, "merge.feature_weight": 0.0}
    )


def feature_columns(config: Config, width: int, num_nodes: int) -> int:
    """Columns that the skip reads: the first of the `width` that the encoder reads, which are features, or roles."""
    c = config.encoder
    if c.structure == "both" and c.beside != "always":
        return KERNEL_COLUMNS
    # Roles tell of a node what a feature does.
    beside = c.beside == "always" and c.structure != "roles"
    return width - (structure_width(c.structure, c.structure_dim, num_nodes) if beside else 0)


def averaged(x: Tensor, graph: MergedGraph, config: Config, device: torch.device) -> Features:
    """Features [n, f] and their averages over a graph, dense, as the encoder "sign" reads them."""
    c = config.encoder
    x = x.to_dense() if x.layout == torch.sparse_csr else x
    found = propagated(graph.edge_index, graph.edge_weight, x, c.hops, memory_mb=c.memory_mb, device=device)
    return Features(found, c.hops + 1, stays=is_mapped(found.shape, c.memory_mb))
