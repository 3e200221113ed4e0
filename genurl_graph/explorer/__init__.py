"""The explorer: an embedding as one HTML file to zoom, hover, search and select in, without a server or a network."""

from genurl_graph.explorer.columns import Categories, Column, Numbers, column, labels
from genurl_graph.explorer.page import check_plotly, write_page
from genurl_graph.explorer.scene import Scene

__all__ = ["Categories", "Column", "Numbers", "Scene", "check_plotly", "column", "labels", "write_page"]
