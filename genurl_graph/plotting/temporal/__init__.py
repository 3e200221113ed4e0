"""Static plots of nodes that move with time: small multiples by window, and the paths of single nodes."""

from genurl_graph.plotting.temporal.movement import movement
from genurl_graph.plotting.temporal.names import window_names
from genurl_graph.plotting.temporal.paths import paths
from genurl_graph.plotting.temporal.windows import window_panels

__all__ = ["movement", "paths", "window_names", "window_panels"]
