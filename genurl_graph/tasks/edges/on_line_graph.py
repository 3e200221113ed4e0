"""From edges that are rows to the graph whose nodes they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genurl_graph.config import Config
from genurl_graph.config.edges import EdgesConfig
from genurl_graph.exceptions import wrong
from genurl_graph.graph.line_graph import line_edges
from genurl_graph.graph.line_graph.edges import HUB
from genurl_graph.inputs.input import Input, check_input
from genurl_graph.nn.gnn import GNNS
from genurl_graph.tasks.evidence import MOST_NODES

# How much more an edge counts that goes straight on: docs/experiments.md, Roads.
STRAIGHT = 4.0
# Edges beyond which fewer neighbours at a hub and fewer columns are kept, and how many these are.
LARGE, SMALL_HUB, FEW = 200_000, 8, 128


def edge_settings(asked: Mapping[str, Any]) -> EdgesConfig:
    """The stage ``edges`` of what a user asks for by dotted name; InputError for values out of range."""
    own = {key.removeprefix("edges."): value for key, value in asked.items() if key.startswith("edges.")}
    known = {key: value for key, value in own.items() if key in EdgesConfig.declared()}
    return EdgesConfig(**{"straight": "auto", "hub": "auto", **known})  # an unknown key is refused with the others


def resolve_edges(data: Input, config: Config, asked: Mapping[str, Any]) -> dict[str, Any]:
    """``edges.straight`` of a run, and what its encoder reads where the preset's does not suit: dotted keys.

    InputError if edges are to go straight on of which nobody knows where they lie.
    """
    changes: dict[str, Any] = {
        "edges.straight": straightness(data, config.edges),
        "edges.hub": hub_size(data, config.edges),
    }
    if data.num_nodes > LARGE and "encoder.dim" not in asked:
        changes["encoder.dim"] = FEW
    c, gnn = config.encoder, config.encoder.name in GNNS
    if c.beside == "auto":
        changes["encoder.beside"] = "always" if gnn and data.x is not None else "never"
    if c.structure == "auto":
        apart = gnn and data.x is None and config.sampling.negatives != "batch" and data.num_nodes <= MOST_NODES
        changes["encoder.structure"] = "both" if apart else "roles"
    return changes


def hub_size(data: Input, settings: EdgesConfig) -> int:
    """``edges.hub`` for these edges: the line graph of a million edges among few nodes is to fit into memory, too."""
    if settings.hub == "auto":
        return HUB if data.num_nodes <= LARGE else SMALL_HUB
    return int(settings.hub)


def straightness(data: Input, settings: EdgesConfig) -> float:
    """``edges.straight`` for these edges; InputError where it needs a geometry that they do not have."""
    located = data.ends is not None and data.ends.bearings is not None
    if settings.straight == "auto":
        return STRAIGHT if located else 0.0
    if settings.straight and not located:
        raise wrong("edges.straight", f"{settings.straight:g} for edges without a geometry", "coordinates, or 0")
    return settings.straight


def on_line_graph(data: Input, settings: EdgesConfig) -> Input:
    """Edges with the line graph that joins them: `Input.ends` says which they are, ``edge_index`` becomes that of it.

    The sample of the edges at a hub is the same in every run.

    Raises
    ------
    InputError
        An odd number of edges at a hub; or edges without features of which no two share an end.
    """
    ends = data.ends
    assert ends is not None
    straight = straightness(data, settings)
    found = line_edges(
        ends.ends,
        ends.num_nodes,
        directed=ends.directed,
        hub=hub_size(data, settings),
        bearings=ends.bearings if straight else None,
        straight=straight,
    )
    return check_input(data._replace(edge_index=found.edge_index, edge_weight=found.edge_weight))
