"""Parameters of edges that are embedded as nodes of their line graph."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Literal

from genurl_graph.config.fields import Range, Stage


@dataclasses.dataclass(frozen=True)
class EdgesConfig(Stage):
    """The line graph of edges (`genurl_graph.graph.line_graph`)."""

    stage = "edges"
    hub: Annotated[
        Literal["auto"] | Annotated[int, Range("[2, inf)")],
        "edges: other edges at an end that are neighbours of an edge, an even number; of more, as many are drawn; "
        "auto: 32, or 8 for more than 200,000 edges",
    ] = 32
    straight: Annotated[
        Literal["auto"] | Annotated[float, Range("[0, 10]")],
        "edges: how much more an edge that goes straight on counts than one that turns off, from 0 (all the same) to "
        "10; auto: 4 where the edges have a geometry, else 0",
    ] = 0.0
