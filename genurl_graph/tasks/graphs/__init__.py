"""Collections of graphs: one row a graph."""

from genurl_graph.tasks.graphs.recipe import build
from genurl_graph.tasks.graphs.resolve import resolve_graphs

__all__ = ["build", "resolve_graphs"]
