"""The interactive explorer: one HTML page with an embedding, the facts on its points and their neighbours."""

from genurl_graph.plotting.explorer.colours import column, labels
from genurl_graph.plotting.explorer.page import write_page
from genurl_graph.plotting.explorer.scene import Scene

__all__ = ["Scene", "column", "labels", "write_page"]
