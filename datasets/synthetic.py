"""A graph of any size with planted classes, for trials at scale where no large data set can be had."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from genurl_graph.exceptions import wrong

if TYPE_CHECKING:
    from torch_geometric.data import Data


# Edges drawn at a time.
_CHUNK = 1 << 22
# Tail of the nodes' expected degrees, `P(w > t) ~ t^-(TAIL)`, and how many times the mean the largest is at most.
TAIL, LARGEST = 1.8, 100.0
# Share of the edges within a class that stay in a group.
COHESION = 0.4


def planted_graph(
    num_nodes: int,
    num_edges: int,
    num_features: int = 128,
    num_classes: int = 40,
    *,
    groups: int = 4,
    homophily: float = 0.65,
    noise: float = 2.0,
    train_share: float = 0.01,
    seed: int = 0,
) -> Data:
    """Degree-corrected stochastic block model (Karrer & Newman, arXiv 1008.3926) with Gaussian features.

    Every class has `groups` centres in feature space, normally distributed with mean 0. The features of a node are the
    centre of its group plus `noise` times a standard normal vector. An edge joins two nodes of one class with
    probability `homophily` (two of one group in a share `COHESION` of these cases), else any two nodes; ends are drawn
    in proportion to heavy-tailed weights. Features tell who belongs to a group, and edges alone which groups make up a
    class: what a class has in common is no linear function of features.

    Parameters
    ----------
    num_nodes, num_edges : int
        Edges are undirected and distinct; where the model yields fewer than asked for, there are fewer.
    num_features, num_classes, groups : int
    homophily : float
        In [0, 1].
    noise : float
        Deviation of a feature from its centre, in deviations of the centres.
    train_share : float
        Of the nodes, in the mask of training nodes; as many validate, the rest tests.
    seed : int

    Returns
    -------
    Data
        x float32 [n, f], edge_index int64 [2, 2E] both ways and sorted, y int64 [n], boolean masks [n].

    Raises
    ------
    InputError
        A number out of range.
    """
    from torch_geometric.data import Data

    pairs = num_nodes * (num_nodes - 1) // 2
    for name, value, good, expected in (
        ("num_nodes", num_nodes, num_nodes >= 2, "at least 2"),
        ("num_edges", num_edges, num_edges >= 1, "at least 1"),
        ("num_edges", num_edges, num_edges <= pairs, f"at most {pairs} for {num_nodes} nodes"),
        ("num_features", num_features, num_features >= 1, "at least 1"),
        ("num_classes", num_classes, num_classes >= 1, "at least 1"),
        ("groups", groups, groups >= 1, "at least 1"),
        ("homophily", homophily, 0 <= homophily <= 1, "a share in [0, 1]"),
        ("noise", noise, 0 <= noise < math.inf, "a finite number >= 0"),
        ("train_share", train_share, 0 < train_share < 0.5, "a share in (0, 0.5)"),
    ):
        if not good:
            raise wrong(name, value, expected)
    generator = torch.Generator().manual_seed(seed)

    def uniform(size: int) -> Tensor:
        return torch.rand(size, dtype=torch.float64, generator=generator)

    # Classes of unequal size, as those of real graphs are.
    sizes = (1 / torch.arange(1, num_classes + 1, dtype=torch.float64)).sqrt().cumsum(0)
    y = torch.searchsorted(sizes / sizes[-1], uniform(num_nodes)).clamp_max(num_classes - 1)
    group = y * groups + torch.randint(groups, (num_nodes,), generator=generator)
    weight = uniform(num_nodes).clamp_min(1e-12).pow(-1 / TAIL)
    weight = weight.clamp_max(LARGEST * float(weight.mean()))

    edge_index = _edges(group, weight, num_edges, homophily, num_classes * groups, groups, uniform)
    centres = torch.randn(num_classes, groups, num_features, generator=generator)
    centres -= centres.mean(1, keepdim=True)
    centres = centres.view(-1, num_features)
    x = torch.randn(num_nodes, num_features, generator=generator).mul_(noise)
    for start in range(0, num_nodes, _CHUNK // 8):
        part = slice(start, start + _CHUNK // 8)
        x[part] += centres[group[part]]
    role = uniform(num_nodes)
    train, val = role < train_share, (role >= train_share) & (role < 2 * train_share)
    return Data(x=x, edge_index=edge_index, y=y, train_mask=train, val_mask=val, test_mask=~(train | val))


def _edges(
    group: Tensor,
    weight: Tensor,
    num_edges: int,
    homophily: float,
    num_groups: int,
    groups: int,
    uniform: Callable[[int], Tensor],
) -> Tensor:
    n = len(group)
    # In the order of groups, nodes of a class or a group are a range, and a weighted draw is a search in a running sum.
    order = group.argsort(stable=True)
    running = torch.cat([weight.new_zeros(1), weight[order].cumsum(0)])
    first = torch.searchsorted(group[order], torch.arange(num_groups + 1))

    def draw(share: Tensor, low: Tensor, high: Tensor) -> Tensor:
        goal = running[low] + share * (running[high] - running[low])
        return torch.searchsorted(running, goal, right=True).sub_(1).clamp_(max=n - 1)

    keys = torch.empty(0, dtype=torch.long)
    missing = num_edges
    # Duplicates and loops are drawn anew; a graph that is nearly full gives up in the end.
    for _ in range(8):
        found = [keys]
        for start in range(0, missing, _CHUNK):
            size = min(_CHUNK, missing - start)
            everywhere = torch.zeros(size, dtype=torch.long)
            source = draw(uniform(size), everywhere, everywhere + n)
            fate = uniform(size)
            own = group[order[source]]
            begin = torch.where(fate < homophily * COHESION, own, own - own % groups)
            end = torch.where(fate < homophily * COHESION, own + 1, own - own % groups + groups)
            inside = fate < homophily
            low, high = torch.where(inside, first[begin], 0), torch.where(inside, first[end], n)
            target = draw(uniform(size), low, high)
            a, b = order[source], order[target]
            found.append((torch.minimum(a, b) * n + torch.maximum(a, b))[a != b])
        keys = torch.unique(torch.cat(found))
        missing = num_edges - len(keys)
        if missing <= 0:
            break
    both = torch.cat([keys, keys % n * n + keys.div(n, rounding_mode="floor")]).sort().values
    return torch.stack([both.div(n, rounding_mode="floor"), both % n])
