"""Edges: each is a node of the line graph, which the recipe of graphs embeds."""

from genurl_graph.tasks.edges.on_line_graph import edge_settings, on_line_graph

__all__ = ["edge_settings", "on_line_graph"]
