"""How long ago events are, in windows: what every part of a pair's features is made of."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from genurl_graph.inputs.temporal.events import TemporalEdges

# After these many windows an event counts half: sudden, recent and lasting habits.
HALF_LIVES = (0.25, 1.0, 4.0, 20.0)
# An age that no event reaches, and one that stands for "never"; what keeps logarithms finite.
NEVER, LONG, SHORT = 1e9, 200.0, 0.01


class Ages(NamedTuple):
    """Events before a window, with their ages.

    Attributes
    ----------
    edges : TemporalEdges
    age : Tensor, float32, shape [M]
        Number of later events (and itself) before the window, in windows of usual size: 1 a whole window ago. Counted
        in events, because a quiet night is no long time.
    decayed : Tensor, float32, shape [M, len(HALF_LIVES)]
        ``2 ** (-age / half life)``.
    """

    edges: TemporalEdges
    age: Tensor
    decayed: Tensor

    @classmethod
    def of(cls, before: TemporalEdges, unit: float) -> Ages:
        """Ages of all events before a window, `unit` of which make a usual window."""
        m = len(before)
        age = (m - torch.arange(m)).float() / unit
        return cls(before, age, torch.exp2(-age[:, None] / torch.tensor(HALF_LIVES)))


def least(index: Tensor, value: Tensor, count: int) -> Tensor:
    """The least value of each number below `count` in `index`; `NEVER` for those that are not in it, [count]."""
    return torch.full((count,), NEVER).scatter_reduce_(0, index, value, "amin")


def recency(age: Tensor) -> Tensor:
    """``-log(age)``, with "never" as a long time."""
    return -torch.log(age.clamp_max(LONG) + SHORT)


def sums(index: Tensor, value: Tensor, count: int) -> Tensor:
    """Sums of the rows of value [m, k] for each number below `count` in `index`, [count, k]."""
    return torch.zeros(count, value.size(1)).index_add_(0, index, value)
