"""Many graphs as one input: their nodes and edges one after another, and the readers of whatever holds them."""

from genurl_graph.inputs.collection.collection import GraphCollection

__all__ = ["GraphCollection"]
