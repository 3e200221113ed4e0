"""What the events before a window say of each node alone: how much it does, how recently, how often with new ones."""

from __future__ import annotations

import torch
from torch import Tensor

from genurl_graph.evaluation.temporal_links.ages import HALF_LIVES, NEVER, SHORT, Ages, least, recency, sums

# Half-lives, by number, at which events with a new partner are counted: one window and four.
_NEW = slice(1, 3)


def node_history(ages: Ages) -> Tensor:
    """Logarithms of what each node did.

    Parameters
    ----------
    ages : Ages
        Of the events before the window.

    Returns
    -------
    Tensor, float32, shape [n, 17]
        As source, then as target: decayed counts of events and recency; then, at two half-lives each, counts of events
        that were the first of their pair; recency of the last event at all; age of the first one; whether there is one.
    """
    edges, n = ages.edges, ages.edges.num_nodes
    columns: list[Tensor] = []
    for end in (edges.source, edges.target):
        columns += [torch.log(sums(end, ages.decayed, n) + SHORT), recency(least(end, ages.age, n))[:, None]]
    new = _first_of_pair(ages)
    for end in (edges.source, edges.target):
        columns.append(torch.log(sums(end[new], ages.decayed[new, _NEW], n) + SHORT))
    both, age = torch.cat([edges.source, edges.target]), torch.cat([ages.age, ages.age])
    last = least(both, age, n)
    first = torch.zeros(n).scatter_reduce_(0, both, age, "amax")
    seen = (last < NEVER).float()
    columns += [recency(last)[:, None], (seen * torch.log(first + SHORT))[:, None], seen[:, None]]
    return torch.cat(columns, 1)


def _first_of_pair(ages: Ages) -> Tensor:
    """Which events are the first from their source to their target, bool [M]."""
    edges = ages.edges
    keys, place = torch.unique(edges.source * edges.num_nodes + edges.target, return_inverse=True)
    number = torch.arange(len(place))
    first = torch.full((len(keys),), len(place)).scatter_reduce_(0, place, number, "amin")
    return first[place] == number


# Columns of `node_history`.
NODE_COLUMNS = 2 * (len(HALF_LIVES) + 1) + 2 * 2 + 3
