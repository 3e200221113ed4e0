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
        "edges: largest number of neighbours of an edge at one end, an even number; if there are more, as many are "
        "sampled; auto: 32, or 8 above 200,000 edges",
    ] = 32
    straight: Annotated[
        Literal["auto"] | Annotated[float, Range("[0, 10]")],
        "edges: how much more going straight on weighs than a turn, from 0 (the same) to 10; auto: 4 if the edges "
        "have coordinates, else 0",
    ] = 0.0
