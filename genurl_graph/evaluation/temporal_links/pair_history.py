"""What the events before a window say of two nodes: how often one met the other, how recently, and before whom."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genurl_graph.evaluation.temporal_links.ages import LONG, SHORT, Ages, least, recency, sums

# What keeps the logarithm of a count finite; how far down the list of partners a stranger stands.
_LITTLE, _STRANGER = 1e-3, 100.0


class PairTable:
    """Rows for some ordered pairs, and one for all others.

    Parameters
    ----------
    keys : Tensor, int64, shape [K]
        ``source * num_nodes + target``, ascending.
    rows : Tensor, float32, shape [K, c]
    other : Tensor, float32, shape [c]
        The row of pairs that are not in `keys`.
    num_nodes : int
    """

    def __init__(self, keys: Tensor, rows: Tensor, other: Tensor, num_nodes: int) -> None:
        self.keys, self.rows, self.num_nodes = keys, torch.cat([rows, other[None]]), num_nodes

    def __call__(self, source: Tensor, target: Tensor) -> Tensor:
        """The rows of pairs, float32 [m, c]."""
        count = len(self.keys)
        if not count:
            return self.rows.expand(len(source), -1)
        key = source * self.num_nodes + target
        place = torch.searchsorted(self.keys, key).clamp_max(count - 1)
        return self.rows[torch.where(self.keys[place] == key, place, count)]


def directed_history(ages: Ages) -> PairTable:
    """Events from one node to another: whether there was one, its recency, decayed counts at all half-lives, number."""
    edges, n = ages.edges, ages.edges.num_nodes
    keys, place = torch.unique(edges.source * n + edges.target, return_inverse=True)
    k, halves = len(keys), ages.decayed.size(1)
    parts = [
        torch.ones(k, 1),
        recency(least(place, ages.age, k))[:, None],
        torch.log(sums(place, ages.decayed, k) + _LITTLE),
        torch.bincount(place, minlength=k).float().log()[:, None],
    ]
    other = torch.tensor([0.0, -math.log(LONG), *[math.log(_LITTLE)] * halves, -1.0])
    return PairTable(keys, torch.cat(parts, 1), other, n)


def partner_history(ages: Ages) -> PairTable:
    """Where one node stands among the partners of another, whoever wrote.

    Columns: recency of their last event; minus the logarithm of the place of the second node among the first's
    partners, the latest first; whether it is the latest; one over its place; and how long ago their last event is
    beside the last event of the first node at all.
    """
    edges, n = ages.edges, ages.edges.num_nodes
    low, high = torch.minimum(edges.source, edges.target), torch.maximum(edges.source, edges.target)
    # Nobody is a partner of their own.
    key, place = torch.unique((low * n + high)[low != high], return_inverse=True)
    age = least(place, ages.age[low != high], len(key)).repeat(2)
    one, two = torch.cat([key // n, key % n]), torch.cat([key % n, key // n])
    # By the first node, then by age; both sorts are stable.
    order = age.argsort(stable=True)
    order = order[one[order].argsort(stable=True)]
    one, two, age = one[order], two[order], age[order]
    start = torch.searchsorted(one, torch.arange(n))
    rank = (torch.arange(len(one)) - start[one]).float()
    # A node's partners begin with its latest one.
    latest = age[start[one]] if len(one) else age
    rows = torch.stack(
        [
            recency(age),
            -torch.log1p(rank),
            (rank == 0).float(),
            1 / (1 + rank),
            torch.log(latest + SHORT) - torch.log(age + SHORT),
        ],
        1,
    )
    keys, order = (one * n + two).sort()
    other = torch.tensor([-math.log(LONG), -math.log(_STRANGER), 0.0, 0.0, -math.log(LONG)])
    return PairTable(keys, rows[order], other, n)
