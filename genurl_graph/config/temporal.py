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
        "events with a time: number of windows, with about the same number of events each (12), or their length (7d, "
        "36h, 30min, or 5u for five units of plain numbers), or auto (20, or the number of different times if "
        "smaller)",
    ] = "20"
    half_life: Annotated[
        Positive, "number of windows after which an event, and the identity edge of a node to its past, count half"
    ] = 0.5
    positions: Annotated[
        Literal["auto"] | Natural,
        "number of columns of the nodes' spectral positions, which are averaged in each window; auto: 128, or 32 "
        "above 20,000 nodes",
    ] = 128
    interaction_weight: Annotated[NonNegative, "factor of the weights of interaction edges in P; 0 leaves them out"] = (
        1.0
    )
    causal: Annotated[
        bool,
        "whether a window uses only its own and earlier events; otherwise it also uses later ones, and no new events "
        "can follow",
    ] = True
    train_rows: Annotated[
        Count,
        "largest number of rows (node, window) for training the encoder, from pairs of windows spread evenly over time",
    ] = 500_000
