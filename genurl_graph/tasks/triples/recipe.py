"""Typed edges: triples and their inverses, near features by modality; a vector an entity and a relation."""

from __future__ import annotations

from typing import Any

import torch

from genurl_graph.config import Config
from genurl_graph.exceptions import wrong
from genurl_graph.graph.merge import MergedGraph, count_components, merge_graphs
from genurl_graph.graph.triples.modality_edges import ModalityEdges, modality_edges
from genurl_graph.graph.triples.near_rows import NearRows
from genurl_graph.graph.triples.relation_rows import RelationRows
from genurl_graph.inputs.input import Input
from genurl_graph.inputs.triples import Triples
from genurl_graph.nn.triples import EndPrior, TripleEncoder
from genurl_graph.objectives.triples import TripleObjective
from genurl_graph.runtime.processes import one_process
from genurl_graph.tasks import TrainingProblem


def build(data: Input, config: Config, seed: int, device: torch.device) -> TrainingProblem:
    """Problem of typed edges; `config` is resolved (`genurl_graph.tasks.triples.resolve_triples`)."""
    assert data.triples is not None
    one_process("the task triples")
    triples, modalities = data.triples.triples, data.triples.modalities
    if not len(triples):
        raise wrong("data", "no triples", "at least one")
    rows, c = RelationRows.of(triples), config.encoder
    read = modalities if config.triples.modality_weight > 0 else ()
    found = modality_edges(read, rows, triples.num_entities, config, seed, device)
    near = NearRows.of(found.edge_index, found.p)
    encoder = TripleEncoder.drawn(triples.num_entities, triples.num_relations, c.dim, config.triples.readout, c.dropout)
    if config.triples.prior > 0:
        encoder.prior = EndPrior.of(rows, triples.num_entities, triples.num_relations, config.triples.prior)
    objective = TripleObjective(encoder, rows, near, config.loss, config.sampling, config.triples)
    summary: dict[str, Any] = {
        "n_triples": len(triples),
        "n_relations": triples.num_relations,
        "n_rows": len(rows),
        "n_components_before": count_components(torch.stack([triples.head, triples.tail]), triples.num_entities),
        "modality_weights": {name: round(weight, 4) for name, weight in found.weights.items()},
    }
    return TrainingProblem(objective, merged_graph(triples, found, config), None, summary)


def merged_graph(triples: Triples, near: ModalityEdges, config: Config) -> MergedGraph:
    """Entities that stand in a triple together, by how many, and kNN edges: what the model knows as one graph."""
    ends, weight = torch.stack([triples.head, triples.tail]), config.triples.modality_weight
    both, kept = torch.cat([ends, ends.flip(0)], 1), near.p > 0
    edges, p = (near.edge_index[:, kept], near.p[kept]) if weight > 0 and bool(kept.any()) else (None, None)
    return merge_graphs(both, None, edges, p, num_nodes=triples.num_entities, how="mix", feature_weight=weight or 1.0)
