"""The loss of mini-batches of rows, a row for each (node, window), and the embedding of all windows."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from genurl_graph.graph.temporal.history import History
from genurl_graph.graph.temporal.window_rows import RowScale, WindowReader
from genurl_graph.inputs.temporal.events import TemporalEdges
from genurl_graph.inputs.temporal.trajectory import Trajectory
from genurl_graph.inputs.temporal.windows import Windows
from genurl_graph.objectives.mini_batch import MiniBatchObjective
from genurl_graph.objectives.temporal.encoding import encode_windows


class TemporalObjective(MiniBatchObjective):
    """Losses of `genurl_graph.objectives.mini_batch.MiniBatchObjective` on the supra-graph.

    Parameters
    ----------
    *parts
        As of that class; nodes are rows of the supra-graph, of some of the windows where there are many.
    reader, scale
        What the rows were made by.
    edges, windows
        All of them, which `embed` reads.
    """

    def __init__(
        self, *parts: Any, reader: WindowReader, scale: RowScale, edges: TemporalEdges, windows: Windows
    ) -> None:
        super().__init__(*parts)
        self.reader, self.scale, self.edges, self.windows = reader, scale, edges, windows

    def trajectory(self) -> tuple[Trajectory, History]:
        """Embedding of all windows, on the CPU, and what they leave behind."""
        return encode_windows(self.encoder, self.reader, self.scale, self.edges, self.windows, None, self.device)

    def embed(self) -> Tensor:
        """Time-invariant part of each node, [n, d]."""
        return self.trajectory()[0].invariant()
