"""The merged graph of a run without the run: which neighbours of a node were given, and which the features added."""

from __future__ import annotations

from typing import NamedTuple

import torch

from genurl_graph.config import Config
from genurl_graph.exceptions import InputError
from genurl_graph.graph.knn import Neighbors
from genurl_graph.graph.merge import MergedGraph
from genurl_graph.inputs.input import Input
from genurl_graph.runtime.processes import alone
from genurl_graph.tasks import graph, reduction
from genurl_graph.tasks.encoder_input import encoder_input
from genurl_graph.tasks.prepare import gather


class Merge(NamedTuple):
    """What a recipe makes of its input before anything is trained.

    Attributes
    ----------
    graph : MergedGraph
        The graph P lives on, with provenance.
    neighbors : Neighbors or None
        The search behind its feature edges; None where there was none.
    """

    graph: MergedGraph
    neighbors: Neighbors | None


@alone()
def merge(data: Input, config: Config, seed: int, device: torch.device) -> Merge:
    """The merged graph that a fit on `data` with `config` and `seed` trains on.

    Parameters
    ----------
    data : Input
    config : Config
        Resolved, of the task graph or reduce.
    seed : int
    device : torch.device
        Where neighbours are searched.

    Raises
    ------
    InputError
        A distillation, whose graph lies in the teacher; or as the recipes.
    """
    if config.task == "graph":
        graph.check_merge(data, config)
        sources = gather(data, config, seed, device)
        return Merge(graph.merged_graph(data, sources, config), sources.neighbors)
    if config.task != "reduce":
        raise InputError(f"task {config.task}: its graph is not made of the input; expected the task graph or reduce")
    # Neighbours may be searched along the axes that the encoder reads.
    along = config.encoder.normalize == "pca"
    statistics = encoder_input(data, config, device)[1] if along else None
    _, neighbors, merged = reduction.merged_graph(data, config, seed, device, statistics)
    return Merge(merged, neighbors)
