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
        "typed edges: how a relation transforms an entity before it is compared with others: complex (rotates and "
        "scales pairs of columns, so a relation and its inverse can differ) or distmult (scales columns)",
    ] = "complex"
    row_power: Annotated[
        Probability,
        "weight of a row of P (all other ends of an entity by one relation): the number of its triples to this power; "
        "1: all triples count the same, 0: all rows do",
    ] = 1.0
    modality_weight: Annotated[
        NonNegative,
        "the kNN edges of an entity by a modality count like at most this number of triples, depending on how often "
        "they connect entities that share triples; 0: not at all",
    ] = 5.0
    prior: Annotated[
        NonNegative,
        "number of triples of an entity above which its own score counts more than the prior (how often entities "
        "occur at that end of the relation): with k triples, its share is k^2 / (k^2 + prior^2); changes scores, not "
        "vectors; 0: no prior",
    ] = 10.0
