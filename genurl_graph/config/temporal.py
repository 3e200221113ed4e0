"""Parameters of graphs that change with time."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Literal

from genurl_graph.config.fields import Count, Natural, NonNegative, Positive, Stage


@dataclasses.dataclass(frozen=True)
class TemporalConfig(Stage):
    """Windows of time and what is read of them (`genurl_graph.graph.temporal`)."""

    stage = "temporal"
    windows: Annotated[
        str,
        "events with a time: windows that time is cut into: how many, of equally many events (12), how long each is "
        "(7d, 36h, 30min; a number and the unit of the times), or auto: 20, or as many as there are different times",
    ] = "20"
    half_life: Annotated[Positive, "windows after which an event, and the bond of a node to its past, count half"] = 0.5
    positions: Annotated[
        Literal["auto"] | Natural,
        "columns of the spectral positions of the nodes, which windows take averages of; auto: 128, or 32 for over "
        "20,000 nodes",
    ] = 128
    interaction_weight: Annotated[
        NonNegative, "factor of the weights of interaction edges in P; 0 leaves them out, to see what they add"
    ] = 1.0
    causal: Annotated[
        bool,
        "read each window by its events and by earlier ones alone; else by later ones, too, and nothing can follow",
    ] = True
    train_rows: Annotated[
        Count, "rows, (node, window), that the encoder is trained on at most: pairs of windows evenly over time"
    ] = 500_000
