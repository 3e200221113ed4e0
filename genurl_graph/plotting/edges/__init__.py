"""Static maps of edges where they lie: roads as lines, coloured by classes or by what was learnt of them."""

from genurl_graph.plotting.edges.lines import edge_map
from genurl_graph.plotting.edges.panels import edge_panels

__all__ = ["edge_map", "edge_panels"]
