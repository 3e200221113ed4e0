"""Line graphs: the edges of a graph become nodes, and two of them are neighbours where they meet.

* `edges`: the numeric core, edges in, weighted edges of the line graph out;
* `incidences`: which edges meet at which node; `hubs`: a sample of those that meet at a hub;
* `transform`: the same of a PyG graph, with all that its edges carry.
"""

from genurl_graph.graph.line_graph.edges import HUB, LineEdges, line_edges
from genurl_graph.graph.line_graph.transform import LineGraph, line_graph

__all__ = ["HUB", "LineEdges", "LineGraph", "line_edges", "line_graph"]
