"""Edges with a time: events in order, and the windows that time is cut into."""

from genurl_graph.inputs.temporal.events import TemporalEdges
from genurl_graph.inputs.temporal.windows import Windows

__all__ = ["TemporalEdges", "Windows"]
