"""Parameters of random views: of one graph, of images, and of the graphs of a collection."""

from __future__ import annotations

import dataclasses
from typing import Annotated

from genurl_graph.config.fields import Fraction, NonNegative, Probability, Share, Stage


@dataclasses.dataclass(frozen=True)
class ViewConfig(Stage):
    """Random views of the input, two a step (`genurl_graph.objectives.views`)."""

    stage = "views"
    drop_features: Annotated[Share, "share of the features that a view leaves out"] = 0.0
    drop_edges: Annotated[Share, "share of the edges that a view leaves out"] = 0.0
    drop_nodes: Annotated[
        Share,
        "share of the nodes whose features a view hides from a GNN, times d / (1 + d) for a node of degree d, so that "
        "fewer are hidden where neighbours are few",
    ] = 0.0
    self_weight: Annotated[NonNegative, "weight in P of the pair of a node and its other view; 0: one view only"] = 0.0


@dataclasses.dataclass(frozen=True)
class ImageViewConfig(Stage):
    """Random views of images (`genurl_graph.objectives.views`)."""

    stage = "images"
    crop: Annotated[Fraction, "smallest share of the area that is kept; 1: all of it"] = 1.0
    ratio: Annotated[Fraction, "ratio of the sides of that area, from this number to its inverse"] = 0.75
    flip: Annotated[Probability, "probability of a mirrored image"] = 0.0
    jitter: Annotated[Probability, "largest change of brightness, contrast and saturation, as a share of each"] = 0.0
    hue: Annotated[Probability, "largest change of the hue, as a share of half the circle"] = 0.0
    grey: Annotated[Probability, "probability of a grey image"] = 0.0
    blur: Annotated[Probability, "probability of a blurred image"] = 0.0


@dataclasses.dataclass(frozen=True)
class GraphViewConfig(Stage):
    """Random views of the graphs of a collection, two a step (`genurl_graph.objectives.graphs.views`)."""

    stage = "graphs"
    kinds: Annotated[
        str,
        "changes, one of which is drawn for each view of a graph: nodes (some are dropped), edges (some are "
        "replaced), attributes (some nodes lose theirs), subgraph (a connected part is kept), guided (attributes are "
        "hidden, of nodes with low PageRank at first and with high PageRank in the end)",
    ] = "nodes"
    share: Annotated[Share, "share of the nodes or edges that a view leaves out, replaces or hides"] = 0.2
