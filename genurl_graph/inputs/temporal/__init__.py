"""Edges with a time: events in order, the windows that time is cut into, and where nodes are in each of them."""

from genurl_graph.inputs.temporal.event_set import EventSet, NodeStates
from genurl_graph.inputs.temporal.events import TemporalEdges
from genurl_graph.inputs.temporal.trajectory import Trajectory
from genurl_graph.inputs.temporal.windows import Windows

__all__ = ["EventSet", "NodeStates", "TemporalEdges", "Trajectory", "Windows"]
