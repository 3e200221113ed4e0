"""Pairs without an event in a window, of four kinds: as hard as the question that is asked."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from genurl_graph.inputs.temporal.events import TemporalEdges

KINDS = ("random", "historical", "inductive", "active")
# Draws a pair that is wanted: some hit an event of the window.
DRAWS = 4


class NegativeSampler(NamedTuple):
    """What negatives of a window are drawn from.

    Attributes
    ----------
    now : TemporalEdges
        Events of the window.
    before : TemporalEdges
        All events before it.
    recent : TemporalEdges
        Those of the last window before it.
    held_out : TemporalEdges
        Events of the test period before the window.
    """

    now: TemporalEdges
    before: TemporalEdges
    recent: TemporalEdges
    held_out: TemporalEdges

    def draw(self, kind: str, source: Tensor, generator: torch.Generator) -> Tensor:
        """Pairs that have no event in the window, in either direction, int64 [2, k].

        Parameters
        ----------
        kind : str
            "random": a source of the window and any node; "active": a source and a node of the last window;
            "historical": pairs of events before the window; "inductive": pairs that had their first event in the
            test period before the window.
        source : Tensor, int64, shape [m]
            Sources of the window's pairs.
        generator : torch.Generator

        Returns
        -------
        Tensor, int64, shape [2, k]
            k = m where there are enough pairs; fewer, or none, where there are not.
        """
        m, n = len(source), self.now.num_nodes
        if kind in ("random", "active"):
            pool = torch.arange(n)
            if kind == "active":
                pool = torch.unique(torch.cat([self.recent.source, self.recent.target]))
            if not len(pool):
                return torch.empty(2, 0, dtype=torch.int64)
            ends = source.repeat(DRAWS)
            drawn = torch.stack([ends, pool[torch.randint(len(pool), (len(ends),), generator=generator)]])
            free = ~self.has_event(drawn) & (drawn[0] != drawn[1])
            # The first that is free for each source.
            place = torch.arange(m).repeat(DRAWS)[free]
            kept = drawn[:, free]
            order = place.argsort(stable=True)
            place, kept = place[order], kept[:, order]
            first = torch.ones(len(place), dtype=torch.bool)
            first[1:] = place[1:] != place[:-1]
            return kept[:, first]
        pairs = self.before.pairs()
        if kind == "inductive":
            old = self.before.between(0, len(self.before) - len(self.held_out))
            pairs = self.held_out.pairs()
            pairs = pairs[:, ~torch.isin(_key(pairs, n), _key(old.pairs(), n))]
        pairs = pairs[:, ~self.has_event(pairs) & (pairs[0] != pairs[1])]
        return pairs[:, torch.randperm(pairs.size(1), generator=generator)[:m]]

    def has_event(self, pairs: Tensor) -> Tensor:
        """Which of the pairs [2, k] have an event in the window, in either direction, bool [k]."""
        n = self.now.num_nodes
        return torch.isin(_key(pairs, n), _key(self.now.pairs(), n))


def _key(pairs: Tensor, num_nodes: int) -> Tensor:
    return pairs.min(0).values * num_nodes + pairs.max(0).values
