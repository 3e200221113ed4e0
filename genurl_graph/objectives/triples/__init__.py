"""The loss of typed edges."""

from genurl_graph.objectives.triples.objective import TripleObjective

__all__ = ["TripleObjective"]
