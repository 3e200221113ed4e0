"""Graphs that change with time: what windows leave behind, what an encoder reads of each, and the supra-graph of all.

A node of the supra-graph is a (node, window) in which the node has an event. Each window is read by its own and earlier
events alone, so that windows read one by one are read as all together. With ``temporal.causal = false`` later events
count, too.
"""

from genurl_graph.graph.temporal.history import History
from genurl_graph.graph.temporal.positions import spectral_positions
from genurl_graph.graph.temporal.supra_graph import supra_graph
from genurl_graph.graph.temporal.window_rows import WindowReader, WindowRows

__all__ = ["History", "WindowReader", "WindowRows", "spectral_positions", "supra_graph"]
