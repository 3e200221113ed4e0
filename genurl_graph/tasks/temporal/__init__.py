"""Events with a time: one row a node and window, one row a node."""

from genurl_graph.tasks.temporal.recipe import build
from genurl_graph.tasks.temporal.resolve import resolve_temporal

__all__ = ["build", "resolve_temporal"]
