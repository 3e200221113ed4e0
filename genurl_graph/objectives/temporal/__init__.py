"""Training on windows of time, and the embedding of all of them."""

from genurl_graph.objectives.temporal.encoding import encode_windows
from genurl_graph.objectives.temporal.objective import TemporalObjective

__all__ = ["TemporalObjective", "encode_windows"]
