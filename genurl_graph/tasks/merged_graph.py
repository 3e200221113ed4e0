"""The merged graph of a run without the run."""

from __future__ import annotations

import torch

from genurl_graph.config import Config
from genurl_graph.exceptions import wrong
from genurl_graph.graph.knn import Neighbors
from genurl_graph.graph.merge import MergedGraph
from genurl_graph.inputs.input import Input
from genurl_graph.tasks import graph, reduction
from genurl_graph.tasks.encoder_input import encoder_input
from genurl_graph.tasks.evidence import heed_evidence
from genurl_graph.tasks.prepare import gather


def merged_graph(data: Input, config: Config, seed: int, device: torch.device) -> tuple[MergedGraph, Neighbors | None]:
    """The graph that a fit with a resolved `config` trains on, and the neighbours that make its kNN edges.

    InputError for a task whose graph is not made of its input alone, such as distillation; or as the recipes.
    """
    if config.embeds_graph:
        data = heed_evidence(data, config)[0]
        graph.check_merge(data, config)
        sources = gather(data, config, seed, device)
        return graph.merged_graph(data, sources, config), sources.neighbors
    if config.task != "reduce":
        raise wrong("merged graph: task", config.task, "graph or reduce")
    # Neighbours may be searched along the axes that the encoder reads.
    along = config.encoder.normalize == "pca"
    statistics = encoder_input(data, config, device)[1] if along else None
    _, neighbors, merged = reduction.merged_graph(data, config, seed, device, statistics)
    return merged, neighbors
