"""Graphs without features whose labels are roles: motifs far apart, levels of a tree, nested blocks, hubs of traffic.

Communities are near each other; nodes of one role are alike and may be far apart. Methods that know only one of the two
fail on one of these graphs.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor

from genurl_graph.exceptions import unknown, wrong

if TYPE_CHECKING:
    from torch_geometric.data import Data

# Motifs: edges among their nodes, of which the first is joined to the base, and the role of each node.
MOTIFS: dict[str, tuple[tuple[tuple[int, int], ...], tuple[int, ...]]] = {
    "house": (((0, 1), (1, 2), (2, 3), (3, 0), (0, 4), (1, 4)), (0, 1, 2, 3, 4)),
    "star": (tuple((0, i) for i in range(1, 7)), (0, 1, 1, 1, 1, 1, 1)),
    "clique": (tuple((i, j) for i in range(5) for j in range(i)), (0, 1, 1, 1, 1)),
    "chain": (tuple((i, i + 1) for i in range(4)), (0, 1, 2, 3, 4)),
    "fan": (tuple((0, i) for i in range(1, 6)) + tuple((i, i + 1) for i in range(1, 5)), (0, 1, 2, 3, 2, 1)),
}


def planted_roles(
    copies: int = 40, base: Literal["ring", "tree"] = "ring", *, spacing: int = 3, noise: float = 0.05, seed: int = 0
) -> Data:
    """Motifs that hang from a ring or a random tree, after struc2vec (arXiv 1704.03165) and GraphWave (1710.10321).

    Houses, stars, cliques, chains and fans in any order. Labels are the positions in each kind of motif (two of a
    house's are mirrored, and differ by where it hangs), the base's nodes with a motif, and those without.

    Parameters
    ----------
    copies : int
        Of each of the five motifs.
    base : "ring" or "tree"
        Each node of the random tree hangs from any earlier one.
    spacing : int
        Nodes of the base for each motif.
    noise : float
        Edges between any two nodes that are added, as a share of all others.
    seed : int

    Returns
    -------
    Data
        edge_index int64 [2, 2E] both ways and sorted, y int64 [n], num_nodes; nodes in random order.

    Raises
    ------
    InputError
        A number out of range, or another base.
    """
    _check(
        ("copies", copies, copies >= 1, "at least 1"), ("spacing", spacing, spacing >= 1, "at least 1"), _share(noise)
    )
    if base not in ("ring", "tree"):
        raise unknown("base", base, ("ring", "tree"))
    generator = torch.Generator().manual_seed(seed)
    total = copies * len(MOTIFS)
    size = total * spacing
    nodes = torch.arange(size)
    before = (nodes - 1) % size
    if base == "tree":
        before = (torch.rand(size, generator=generator) * nodes).long()
    place = nodes[::spacing] if base == "ring" else torch.randperm(size, generator=generator)[:total]
    kind = (nodes[:total] % len(MOTIFS))[torch.randperm(total, generator=generator)]
    edges, labels = [torch.stack([nodes, before])], [torch.zeros(size, dtype=torch.long)]
    labels[0][place] = 1
    first, code = size, 2
    for k, (inside, roles) in enumerate(MOTIFS.values()):
        at = place[kind == k]
        start = first + len(roles) * torch.arange(len(at))
        edges += [(start[:, None] + torch.tensor(inside).T[:, None]).reshape(2, -1), torch.stack([at, start])]
        labels.append((torch.tensor(roles) + code).repeat(len(at)))
        first, code = first + len(roles) * len(at), code + max(roles) + 1
    return _graph(torch.cat(edges, 1), torch.cat(labels), noise, generator)


def planted_levels(
    depth: int = 6, branching: int = 3, leaves: float = 1.0, *, noise: float = 0.05, seed: int = 0
) -> Data:
    """A balanced tree with random leaves whose labels are the levels.

    Each node of the tree, from the root at level 0 to level `depth` - 1, has `branching` children (the last level has
    none) and a Poisson number of leaves, `leaves` on average, that belong to the next level. `noise`, `seed` and what
    is returned and raised as in `planted_roles`.
    """
    counts = (("depth", depth), ("branching", branching))
    _check(*((name, value, value >= 2, "at least 2") for name, value in counts), _share(noise))
    _check(("leaves", leaves, 0 <= leaves < math.inf, "a finite number >= 0"))
    generator = torch.Generator().manual_seed(seed)
    level = torch.repeat_interleave(torch.arange(depth), branching ** torch.arange(depth))
    n = len(level)
    child = torch.arange(1, n)
    parent = torch.repeat_interleave(torch.poisson(torch.full((n,), leaves), generator=generator).long())
    own = torch.stack([child, (child - 1).div(branching, rounding_mode="floor")])
    edge_index = torch.cat([own, torch.stack([n + torch.arange(len(parent)), parent])], 1)
    return _graph(edge_index, torch.cat([level, level[parent] + 1]), noise, generator)


def planted_hierarchy(
    num_nodes: int = 1000,
    depth: int = 3,
    branching: int = 3,
    degree: float = 10.0,
    ratio: float = 4.0,
    *,
    seed: int = 0,
) -> Data:
    """Nested blocks (Clauset et al., Nature 453, 2008) whose labels are the ``branching ** depth`` smallest ones.

    Two nodes that share l levels are joined with a probability proportional to `ratio` ** l, of mean degree `degree`.
    `seed` and what is returned and raised as in `planted_roles`. Time and memory O(n^2).
    """
    counts = (("num_nodes", num_nodes), ("depth", depth), ("branching", branching))
    _check(*((name, value, value >= 2, "at least 2") for name, value in counts))
    _check(("degree", degree, 0 < degree < num_nodes, "between 0 and the number of nodes"))
    _check(("ratio", ratio, 0 < ratio < math.inf, "a finite number above 0"))
    generator = torch.Generator().manual_seed(seed)
    y = torch.randint(branching**depth, (num_nodes,), generator=generator)
    pairs = torch.triu_indices(num_nodes, num_nodes, 1)
    weight = torch.ones(pairs.size(1), dtype=torch.float64)
    for level in range(depth):
        block = y.div(branching**level, rounding_mode="floor")
        weight[block[pairs[0]] == block[pairs[1]]] *= ratio
    joined = torch.rand(len(weight), generator=generator, dtype=torch.float64) < weight * (
        degree * num_nodes / 2 / weight.sum()
    )
    return _graph(pairs[:, joined], y, 0.0, generator)


def planted_airports(num_nodes: int = 600, degree: float = 20.0, *, noise: float = 0.7, seed: int = 0) -> Data:
    """A transport network by a law of gravity, whose labels are quarters of the traffic.

    Airports around twelve centres have log-normal sizes s; between two at distance d flows ``s_i s_j / (.05 + d)``,
    times log-normal noise of deviation `noise`. The largest flows are edges. A label is the quarter of a node's total
    flow, edges or no edges, with half of the noise on top, as flights and passengers are (arXiv 1704.03165). `degree`,
    `seed` and what is returned and raised as in `planted_hierarchy`.
    """
    _check(("num_nodes", num_nodes, num_nodes >= 8, "at least 8"))
    _check(("degree", degree, 0 < degree < num_nodes, "between 0 and the number of nodes"))
    _check(("noise", noise, 0 <= noise < math.inf, "a finite number >= 0"))
    generator = torch.Generator().manual_seed(seed)

    def normal(*size: int) -> Tensor:
        return torch.randn(*size, dtype=torch.float64, generator=generator)

    size = (1.3 * normal(num_nodes)).exp()
    centres = torch.rand(12, 2, dtype=torch.float64, generator=generator)
    at = centres[torch.randint(12, (num_nodes,), generator=generator)] + 0.08 * normal(num_nodes, 2)
    row, col = torch.triu_indices(num_nodes, num_nodes, 1)
    flow = size[row] * size[col] / (0.05 + (at[row] - at[col]).norm(dim=1)) * (noise * normal(len(row))).exp()
    largest = flow.argsort(descending=True)[: int(degree * num_nodes / 2)]
    traffic = torch.zeros(num_nodes, dtype=torch.float64).index_add_(0, row, flow).index_add_(0, col, flow)
    traffic *= (noise / 2 * normal(num_nodes)).exp()
    y = (4 * traffic.argsort().argsort()).div(num_nodes, rounding_mode="floor")
    return _graph(torch.stack([row, col])[:, largest], y, 0.0, generator)


def _share(noise: float) -> tuple[str, float, bool, str]:
    return "noise", noise, 0 <= noise <= 1, "a share in [0, 1]"


def _check(*conditions: tuple[str, float, bool, str]) -> None:
    for name, value, good, expected in conditions:
        if not good:
            raise wrong(name, value, expected)


def _graph(edge_index: Tensor, y: Tensor, noise: float, generator: torch.Generator) -> Data:
    """The graph with nodes in random order, so that no neighbour is told by its number."""
    from torch_geometric.data import Data
    from torch_geometric.utils import remove_self_loops, to_undirected

    n = len(y)
    more = torch.randint(n, (2, int(noise * edge_index.size(1))), generator=generator)
    place = torch.randperm(n, generator=generator)
    edges = remove_self_loops(place[torch.cat([edge_index, more], 1)])[0]
    return Data(edge_index=to_undirected(edges, num_nodes=n), y=y[place.argsort()], num_nodes=n)
