"""The encoder of entities and relations, and its readouts."""

from genurl_graph.nn.triples.encoder import TripleEncoder
from genurl_graph.nn.triples.prior import EndPrior
from genurl_graph.nn.triples.readouts import READOUTS

__all__ = ["READOUTS", "EndPrior", "TripleEncoder"]
