"""Recipes: each chooses edges, P, encoder and loss for one task, and owns no mechanism.

A recipe is a module with a function ``build(data, x, config, seed, device, ...) -> TrainingProblem``. `data` is the
`Input`; `x` what the encoder reads (`genurl_graph.tasks.encoder_input`), float32 [n, f], None for one-hot rows or for
an embedding table; `config` is resolved (`genurl_graph.tasks.resolve`); `seed` is that of everything random before the
training. It raises an InputError where the data or the configuration do not suit the task.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch

from genurl_graph.config import Config
from genurl_graph.graph.knn import Neighbors
from genurl_graph.graph.merge import MergedGraph, count_components
from genurl_graph.graph.projection import FeatureSpace
from genurl_graph.inputs.input import Input
from genurl_graph.objectives.base import Objective


class TrainingProblem(NamedTuple):
    """What a recipe hands to the training loop.

    Attributes
    ----------
    objective : Objective
    merged : MergedGraph
        The graph P lives on.
    neighbors : Neighbors or None
        Feature-space neighbours; None where there are no features.
    reliability : dict
        Edge reliability (`genurl_graph.graph.sources.Sources.summary`), and of a node-feature bipartite graph its
        columns ``n_columns`` and their share ``mass_columns`` of the total weight; empty without either.
    space : FeatureSpace or None
        Where new samples find their neighbours, if they are to be placed by them.
    config : Config or None
        What the problem was built by, where a given map decided some of it.
    rows : int or None
        Nodes of `merged`, where they are not those of the data: (node, window) of events.
    """

    objective: Objective
    merged: MergedGraph
    neighbors: Neighbors | None
    reliability: dict[str, Any] = {}  # noqa: RUF012 - never changed
    space: FeatureSpace | None = None
    config: Config | None = None
    rows: int | None = None

    def summary(self, data: Input) -> dict[str, Any]:
        """Edges and total weight by source, components before and after the merge, and the edge reliability."""
        given = torch.empty(2, 0, dtype=torch.long) if data.edge_index is None else data.edge_index
        n = self.rows or data.num_nodes
        components = {
            "n_components_before": count_components(given, n),
            "n_components_after": count_components(self.merged.edge_index, n),
        }
        return self.merged.summary() | self.merged.weight_shares() | components | self.reliability
