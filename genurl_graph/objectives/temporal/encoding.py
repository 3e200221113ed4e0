"""Windows of time through an encoder, one after another."""

from __future__ import annotations

import torch
from torch import nn

from genurl_graph.graph.temporal.history import History
from genurl_graph.graph.temporal.profiles import active_nodes
from genurl_graph.graph.temporal.window_rows import RowScale, WindowReader
from genurl_graph.inputs.temporal.events import TemporalEdges
from genurl_graph.inputs.temporal.trajectory import Trajectory
from genurl_graph.inputs.temporal.windows import Windows
from genurl_graph.nn.features import Features
from genurl_graph.objectives.base import embed_rows


def encode_windows(
    encoder: nn.Module,
    reader: WindowReader,
    scale: RowScale,
    edges: TemporalEdges,
    windows: Windows,
    history: History | None,
    device: torch.device,
) -> tuple[Trajectory, History]:
    """Embedding of each node in each window, and what the windows leave behind.

    Memory beside the result: one window. The row of a (node, window) depends on events up to the end of the window,
    and on `history`; of a reader that is not causal, on all events.

    Parameters
    ----------
    encoder : nn.Module
        Reads each row alone.
    reader, scale
        Of the fit.
    edges, windows
        Events, and the windows that they are cut into.
    history : History, optional
        What came before them.
    device : torch.device
        Of the encoder.
    """
    sizes = [len(active_nodes(windows.events(edges, number))) for number in range(len(windows))]
    # Filled in place: lists that are joined at the end would hold all rows twice.
    node, window = torch.empty(2, sum(sizes), dtype=torch.int64)
    ends, z = torch.empty(sum(sizes)), torch.empty(0, 0)
    past, first = History.empty(edges.num_nodes) if history is None else history, 0
    for number, rows in enumerate(reader.read(edges, windows, past)):
        past = rows.history
        if not len(rows.nodes):
            continue
        here = slice(first, first + len(rows.nodes))
        found = embed_rows(encoder, Features(scale.input(rows.averages, rows.profile).to(device)), device).cpu()
        if not len(z):
            z = found.new_empty(len(node), found.size(1))
        z[here], node[here], window[here], ends[here] = found, rows.nodes, number, rows.ends
        first = here.stop
    return Trajectory(node, window, z, ends, windows.starts, edges.num_nodes), past
