"""What is read of each window: averages of positions over the decayed graph, and activity profiles for kNN edges."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from genurl_graph.exceptions import wrong
from genurl_graph.graph.temporal.history import BASE, History, pair_sums
from genurl_graph.graph.temporal.positions import spectral_positions
from genurl_graph.graph.temporal.profiles import PROFILE, active_nodes, activity_profiles
from genurl_graph.inputs.temporal.events import TemporalEdges
from genurl_graph.inputs.temporal.windows import Windows

# Deviation below which a column of profiles is constant.
LEAST_DEVIATION = 1e-6


class WindowRows(NamedTuple):
    """One window, as it is read: m nodes are active in it.

    Attributes
    ----------
    nodes : Tensor, int64, shape [m]
        Ascending.
    averages : Tensor, float32, shape [m, (hops + 1) c]
        Positions of each node, and their averages over its neighbours, and theirs.
    profile : Tensor, float32, shape [m, p]
        Not standardised.
    ends : Tensor, float32, shape [m]
        Ends of events in the window.
    edges : Tensor, int64, shape [2, e]
        Distinct pairs of the window, by the place of their ends among `nodes`.
    weight : Tensor, float32, shape [e]
        Of the events of each pair.
    history : History
        After the window.
    """

    nodes: Tensor
    averages: Tensor
    profile: Tensor
    ends: Tensor
    edges: Tensor
    weight: Tensor
    history: History


class WindowReader(NamedTuple):
    """Reads windows one after another, each by its events and by earlier ones alone.

    Attributes
    ----------
    positions : Tensor, float32, shape [n, c]
        Of the nodes that were fitted; others are at 0.
    hops : int
        Averages over neighbours that are read, >= 0.
    half_life : float
        Windows after which an event counts half.
    unit : float
        Weight of an event that counts 1; 0: weights do not count, as some of them are below 0.
    x : Tensor, float32, shape [n, f], or None
        Features of the nodes, which stand beside their profiles.
    causal : bool
        Whether a window is read by its events and earlier ones alone; else averages are taken over later ones, too.
    """

    positions: Tensor
    hops: int
    half_life: float
    unit: float
    x: Tensor | None = None
    causal: bool = True

    @classmethod
    def fit(
        cls,
        edges: TemporalEdges,
        columns: int,
        hops: int,
        half_life: float,
        x: Tensor | None = None,
        causal: bool = True,
    ) -> WindowReader:
        """Positions of the nodes in the graph of all events.

        Parameters
        ----------
        edges : TemporalEdges
        columns : int
            Of the positions, at most.
        hops, half_life, x, causal
            As the attributes.
        """
        weight = edges.weight
        counts = weight is not None and bool((weight >= 0).all()) and bool((weight > 0).any())
        # The usual weight: a few large payments do not make all others too small to be remembered.
        unit = 1.0 if weight is None else float(weight[weight > 0].median()) if counts else 0.0
        reader = cls(torch.empty(edges.num_nodes, 0), hops, half_life, unit, x, causal)
        key, total = pair_sums(edges, reader.counted(edges))
        return reader._replace(positions=spectral_positions(key, total, edges.num_nodes, columns))

    def counted(self, events: TemporalEdges) -> Tensor:
        """What each event counts, float32 [M].

        Raises
        ------
        InputError
            A weight below 0, where those of the fitted events were not.
        """
        if events.weight is None or self.unit == 0:
            return torch.ones(len(events))
        if bool((events.weight < 0).any()):
            raise wrong("weight", "a number below 0", "numbers of at least 0, as in the fitted events")
        return events.weight / self.unit

    def read(self, edges: TemporalEdges, windows: Windows, history: History | None = None) -> Iterator[WindowRows]:
        """Each window of `edges` in turn, empty ones too; `history` is of what came before them."""
        past = History.empty(edges.num_nodes) if history is None else history.grown(edges.num_nodes)
        positions = self.positions
        if len(positions) < past.num_nodes:
            more = past.num_nodes - len(positions)
            positions = torch.cat([positions, positions.new_zeros(more, positions.size(1))])
        later = [] if self.causal else self._futures(edges, windows)
        for window in range(len(windows)):
            found = self._window(windows.events(edges, window), past, positions, later[window] if later else None)
            past = found.history
            yield found

    def _futures(self, edges: TemporalEdges, windows: Windows) -> list[History]:
        """What comes after each window, decayed as what came before it."""
        found, later = [], History.empty(edges.num_nodes)
        for window in reversed(range(len(windows))):
            nothing = edges.between(0, 0)
            found.append(later.after(nothing, torch.empty(0), self.half_life))
            events = windows.events(edges, window)
            later = later.after(events, self.counted(events), self.half_life)
        return found[::-1]

    def _window(self, events: TemporalEdges, past: History, positions: Tensor, later: History | None) -> WindowRows:
        weight = self.counted(events)
        nodes = active_nodes(events)
        now = past.after(events, weight, self.half_life)
        averages, reached = [positions[nodes]], positions
        if self.hops and len(nodes):
            operator = (now if later is None else now.with_pairs(later)).adjacency()
            for _ in range(self.hops):
                reached = operator @ reached
                averages.append(reached[nodes])
        else:
            averages *= self.hops + 1
        profile = activity_profiles(events, nodes, past)
        if self.x is not None:
            profile = torch.cat([profile, self._features(nodes)], 1)
        key, pairs = pair_sums(events, weight)
        ends = torch.stack([torch.searchsorted(nodes, end) for end in (key // BASE, key % BASE)])
        count = torch.bincount(
            torch.searchsorted(nodes, torch.cat([events.source, events.target])), minlength=len(nodes)
        )
        return WindowRows(nodes, torch.cat(averages, 1), profile, count.float(), ends, pairs, now)

    def _features(self, nodes: Tensor) -> Tensor:
        assert self.x is not None
        known = nodes < len(self.x)
        return torch.where(known[:, None], self.x[nodes.clamp_max(len(self.x) - 1)], 0.0)


class RowScale(NamedTuple):
    """How rows become the input of an encoder: columns of profiles are standardised.

    The encoder reads averages of positions and what profiles hold beside counts. It does not read the counts, by which
    kNN edges are found: with them it told apart how much nodes do rather than with whom (docs/experiments.md).
    """

    mean: Tensor  # float32 [p]
    deviation: Tensor  # float32 [p]

    @classmethod
    def of(cls, profile: Tensor) -> RowScale:
        """Of the profiles [R, p] of the fitted rows."""
        deviation = profile.std(0, correction=0)
        return cls(profile.mean(0), torch.where(deviation > LEAST_DEVIATION, deviation, 1.0))

    def profiles(self, profile: Tensor) -> Tensor:
        """Standardised, [m, p]."""
        return (profile - self.mean) / self.deviation

    def input(self, averages: Tensor, profile: Tensor) -> Tensor:
        """What the encoder reads of rows, float32 [m, (hops + 1) c + p - `len(PROFILE)`]."""
        if profile.size(1) == len(PROFILE):
            return averages
        return torch.cat([averages, self.profiles(profile)[:, len(PROFILE) :]], 1)
