"""Parameters of typed edges."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Literal

from genurl_graph.config.fields import NonNegative, Probability, Stage


@dataclasses.dataclass(frozen=True)
class TriplesConfig(Stage):
    """Typed edges between entities, and features of these of several kinds (`genurl_graph.graph.triples`)."""

    stage = "triples"
    readout: Annotated[
        Literal["complex", "distmult"],
        "typed edges: what a relation makes of an entity before it is compared with others: complex (it turns and "
        "stretches pairs of columns, so that a relation and its inverse may differ) or distmult (it stretches columns)",
    ] = "complex"
    row_power: Annotated[
        Probability,
        "how much a row of P, the other ends of an entity by one relation, counts: their number to this power; 1: all "
        "triples alike, 0: all rows alike",
    ] = 1.0
    modality_weight: Annotated[
        NonNegative,
        "how many triples the kNN edges of an entity by its features count as, where these tell all; a modality counts "
        "as far as it joins entities that share triples; 0: not at all",
    ] = 5.0
    prior: Annotated[
        NonNegative,
        "triples of an entity from which on its scores count more than the prior, how often entities stand at that end "
        "of the relation: with k triples, k^2 / (k^2 + prior^2) of the whole; it changes scores, not vectors; 0: none",
    ] = 10.0
