"""Typed edges: one row an entity, one a relation and its inverse."""

from genurl_graph.tasks.triples.recipe import build
from genurl_graph.tasks.triples.resolve import resolve_triples

__all__ = ["build", "resolve_triples"]
