"""Collections of graphs: views and near descriptors as edges between graphs, a GIN, descriptors beside its columns."""

from __future__ import annotations

import torch

from genurl_graph.config import Config
from genurl_graph.graph.descriptors import GraphDescriptors
from genurl_graph.graph.knn import Neighbors
from genurl_graph.graph.merge import FEATURE, MergedGraph
from genurl_graph.graph.projection import FeatureSpace
from genurl_graph.inputs.input import Input
from genurl_graph.nn.graphs import make_graph_encoder
from genurl_graph.nn.graphs.encoder import described, described_columns, without_edge_kinds
from genurl_graph.nn.graphs.pooling import pooled_columns
from genurl_graph.objectives.graphs.objective import GraphsObjective
from genurl_graph.tasks import TrainingProblem
from genurl_graph.tasks.prepare import feature_similarities
from genurl_graph.training.checkpoint import KeptNeighbors


def build(
    data: Input, config: Config, seed: int, device: torch.device, kept: KeptNeighbors | None = None
) -> TrainingProblem:
    """Problem of a collection of graphs; `config` is resolved (`genurl_graph.tasks.graphs.resolve_graphs`).

    The configuration of the problem says how many columns the embedding really has: descriptors may have fewer than
    were asked for. `kept` holds the neighbours of a run that goes on.
    """
    assert data.graphs is not None
    collection, skip = data.graphs, int(config.encoder.skip)
    plain = without_edge_kinds(collection)
    descriptors = GraphDescriptors.fit(plain, **({"components": skip} if skip else {}))
    rows = descriptors.rows(plain)[:, described(descriptors)].contiguous()
    neighbors: Neighbors | None = None
    merged = MergedGraph.empty(len(rows))
    if config.merge.feature_weight > 0:
        space = FeatureSpace(rows, unit=False, projection=None)
        neighbors, edges, p = feature_similarities(data, config, seed, device, space, kept)
        merged = MergedGraph(edges, p, torch.full_like(p, FEATURE, dtype=torch.uint8), len(rows))
    beside = described_columns(descriptors) if skip else 0
    # A network of fewer columns than are free leaves them out.
    c = config.encoder
    pooled = c.hidden * c.layers * pooled_columns(c.pooling)
    config = config.override({"encoder.dim": beside + min(pooled, c.dim - beside)})
    encoder = make_graph_encoder(config, collection, descriptors if skip else None)
    return TrainingProblem(GraphsObjective(encoder, collection, rows, merged, config), merged, neighbors, config=config)
