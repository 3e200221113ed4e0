"""Recipes: each chooses edges, P, encoder and loss for one task, and owns no mechanism."""

from __future__ import annotations

from typing import Any, NamedTuple

from genurl_graph.anchor_batches import AnchorBatches
from genurl_graph.graph import MergedGraph
from genurl_graph.image_batches import ImageBatches
from genurl_graph.neighbors import Neighbors
from genurl_graph.objective import PairwiseObjective
from genurl_graph.space import FeatureSpace
from genurl_graph.teaching import TeacherBatches


class Problem(NamedTuple):
    """What a recipe hands to the training loop.

    Attributes
    ----------
    objective : PairwiseObjective, AnchorBatches, TeacherBatches or ImageBatches
    merged : MergedGraph
        The graph P lives on, with provenance.
    neighbors : Neighbors or None
        Feature-space neighbours; None where there are no features.
    decisions : dict
        What adaptive merging found (`genurl_graph.tasks.merging.Sources.summary`); empty where it was not asked.
    space : FeatureSpace or None
        Where neighbours were searched, if new samples are to be placed by theirs.
    """

    objective: PairwiseObjective | AnchorBatches | TeacherBatches | ImageBatches
    merged: MergedGraph
    neighbors: Neighbors | None
    decisions: dict[str, Any] = {}  # noqa: RUF012 - never changed
    space: FeatureSpace | None = None
