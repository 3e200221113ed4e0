"""The loss of mini-batches whose nodes each worker draws from its own rows."""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
from torch import Tensor

from genurl_graph.losses.terms import LossTerms
from genurl_graph.objectives.base import embed_rows
from genurl_graph.objectives.mini_batch import MiniBatchObjective
from genurl_graph.objectives.partitioned.held import HeldRows
from genurl_graph.runtime.processes import rank, world_size
from genurl_graph.runtime.random import randint, randperm, seeded

# Numbers of the rows of neighbours that are fetched at a time, for as many steps as they make: 64 MB.
FETCHED = 1 << 24
# Seeds that are drawn are below this.
_SEEDS = 2**31


class _Step(NamedTuple):
    """What a worker has drawn for a step: its nodes [b] and their neighbours [b], as positions in `HeldRows`; P [b]."""

    seed: int
    nodes: Tensor
    ends: Tensor
    p: Tensor


class PartitionedObjective(MiniBatchObjective):
    r"""Losses of `genurl_graph.objectives.mini_batch.MiniBatchObjective` on rows that W workers share.

    Each worker draws B / W nodes of its own, without replacement, and their neighbours. Workers hold about as many
    rows, so that all nodes are as likely. Where partitions are random samples of the nodes, as
    `genurl_graph.inputs.partitioned` makes them, the batch is a uniform draw over the draws of the partitions.
    For given partitions, pairs of two nodes of one worker are met by 1 part in B / W too seldom.

    Rows of neighbours that others hold are fetched for many steps ahead, never beyond the epoch.

    Parameters are those of that class; `features` are `HeldRows`, the edges `RowEdges` of the same rows, and
    `num_nodes` is the number of all nodes. What a step draws depends on the state of the run's CPU generator at the
    beginning of an epoch, on the number of workers, and on nothing else.
    """

    def _prepare(self) -> None:
        super()._prepare()
        self.held = cast(HeldRows, self.features)
        self.share_size = self.size // world_size()
        self.ahead = max(1, FETCHED // (self.share_size * self.held.num_features))
        self._drawn: list[_Step] = []
        self._order: Tensor | None = None  # of the own rows; those that no step of the epoch has had yet
        self._done = 0

    def forward(self, progress: float = 0.0) -> LossTerms:
        """Loss of one batch, drawn anew; `progress` is the share of the epochs that is over."""
        if not self._drawn:
            self._draw()
        # All workers draw the same from here on, whatever device they are on: masks, dropout.
        with seeded(self._drawn[-1].seed):
            return super().forward(progress)

    def embed(self) -> Tensor:
        """Embedding [m, d] of this worker's rows."""
        return embed_rows(self.encoder, self.held, self.device)

    def _pairs(self) -> tuple[Tensor, Tensor, Tensor]:
        return self._drawn.pop()[1:]

    def _draw(self) -> None:
        """Draw the next steps of the epoch, and fetch what they read."""
        count, size = min(self.ahead, self.steps - self._done), self.share_size
        if self._done == 0:
            self._order = None
        self._done = (self._done + count) % self.steps
        # From the generator that is the same in all workers, and that checkpoints hold.
        seeds = randint(_SEEDS, (count + world_size(),)).tolist()
        with seeded(seeds[count + rank()]):
            nodes = torch.cat([self._own_nodes() for _ in range(count)])
            ends, p = self.neighbors.draw(nodes)
        parts = (part.view(count, size).unbind() for part in (nodes, self.held.fetch(ends), p))
        # The last one is the next step.
        self._drawn = [_Step(*step) for step in zip(seeds[:count], *parts, strict=True)][::-1]

    def _own_nodes(self) -> Tensor:
        """The next of the own rows in a random order, int64 [b]; in another one when too few are left."""
        if self._order is None or len(self._order) < self.share_size:
            self._order = randperm(self.held.num_nodes, self.device)
        found, self._order = self._order[: self.share_size], self._order[self.share_size :]
        return found
