"""Typed edges: triples of head, relation and tail, and features of entities of several kinds."""

from genurl_graph.inputs.triples.triple_set import Modality, Triples, TripleSet

__all__ = ["Modality", "TripleSet", "Triples"]
