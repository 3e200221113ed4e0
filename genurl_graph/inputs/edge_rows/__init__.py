"""Edges as rows: whatever holds a graph whose edges are to be embedded, as one checked input."""

from genurl_graph.inputs.edge_rows.edge_set import EdgeEnds, EdgeSet

__all__ = ["EdgeEnds", "EdgeSet"]
