"""Line graphs: the edges of a graph become nodes, and two of them are neighbours where they meet.

* `edges`: the numeric core, edges in, weighted edges of the line graph out;
* `incidences`: which edges meet at which node; `hubs`: a sample of those that meet at a hub.
"""

from genurl_graph.graph.line_graph.edges import LineEdges, line_edges

__all__ = ["LineEdges", "line_edges"]
