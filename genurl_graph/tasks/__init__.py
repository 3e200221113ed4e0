"""Recipes: each chooses edges, P, encoder and loss for one task, and owns no mechanism."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch

from genurl_graph.graph.knn import Neighbors
from genurl_graph.graph.merge import MergedGraph, count_components
from genurl_graph.graph.projection import FeatureSpace
from genurl_graph.inputs.input import Input
from genurl_graph.objectives.distillation import DistillationObjective
from genurl_graph.objectives.full_batch import PairwiseObjective
from genurl_graph.objectives.images import ImageObjective
from genurl_graph.objectives.prototypes import PrototypeObjective


class Problem(NamedTuple):
    """What a recipe hands to the training loop.

    Attributes
    ----------
    objective : PairwiseObjective, PrototypeObjective, DistillationObjective or ImageObjective
    merged : MergedGraph
        The graph P lives on, with provenance; of several processes the first has all of it, each other the rows that it
        draws neighbours from.
    neighbors : Neighbors or None
        Feature-space neighbours; None where there are no features.
    decisions : dict
        What adaptive merging found (`genurl_graph.graph.sources.Sources.summary`), and of columns as nodes their number
        ``n_columns`` and share ``mass_columns`` of all similarities; empty where neither was asked.
    space : FeatureSpace or None
        Where neighbours were searched, if new samples are to be placed by theirs.
    """

    objective: PairwiseObjective | PrototypeObjective | DistillationObjective | ImageObjective
    merged: MergedGraph
    neighbors: Neighbors | None
    decisions: dict[str, Any] = {}  # noqa: RUF012 - never changed
    space: FeatureSpace | None = None

    def summary(self, data: Input) -> dict[str, Any]:
        """What the merge did: edges and mass by provenance, components before and after it, and what was decided."""
        given = torch.empty(2, 0, dtype=torch.long) if data.edge_index is None else data.edge_index
        components = {
            "n_components_before": count_components(given, data.num_nodes),
            "n_components_after": count_components(self.merged.edge_index, data.num_nodes),
        }
        return self.merged.summary() | self.merged.weight_shares() | components | self.decisions
