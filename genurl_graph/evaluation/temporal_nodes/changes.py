"""Change points: which nodes change, and in which window, without any labels; and how often that is right."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import normalize

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.temporal.trajectory import Trajectory

# What another segment must explain, in units of the noise between rows of one node. Chosen on planted communities of
# other seeds and densities than those that are reported (docs/experiments.md).
PENALTY = 8.0
# Rows of the shortest segment: one row alone is an exception, unless it is far away.
LEAST = 2
# Events that a row of weight 1/2 has: rows of few events are noisy.
HALF = 2.0
# Rows apart at which noise is measured: a row reads a part of the one before it.
APART = 2
# Numbers that are held at a time.
_NUMBERS = 1 << 22


class Changes(NamedTuple):
    """K changes of nodes.

    Attributes
    ----------
    node, window : Tensor, int64, shape [K]
        The first window in which the node is what it was not before; sorted by node, then window.
    """

    node: Tensor
    window: Tensor


def find_changes(trajectory: Trajectory, *, penalty: float = PENALTY, least: int = LEAST) -> Changes:
    r"""Cut the rows of each node into segments of one mean each, by optimal partitioning.

    The segments of a node minimise ``sum_t w_t |z_t - mean of its segment|^2 + penalty * s^2 * (segments - 1)``
    (Jackson et al., IEEE Signal Processing Letters 12, 2005), z being rows of unit length and ``w = e / (e + 2)`` for a
    row of e events. The noise ``s^2`` is the mean over all nodes of ``|z_t - z_{t+2}|^2 / (1 / w_t + 1 / w_{t+2})``,
    half of it that of all nodes and half the node's own, of which the largest four are left out: a change touches two
    of them.

    Parameters
    ----------
    trajectory : Trajectory
    penalty : float
        Above 0; larger: fewer changes, of which more are right.
    least : int
        Rows of the shortest segment, at least 1.

    Returns
    -------
    Changes
        Time O(n L^2 d) for nodes of at most L rows; memory in proportion to the rows.

    Raises
    ------
    InputError
        `penalty` or `least` out of range.

    Examples
    --------
    >>> found = find_changes(model.trajectory_)
    >>> found.window[found.node == 3]
    """
    if not penalty > 0:
        raise wrong("penalty", penalty, "above 0")
    if least < 1:
        raise wrong("least", least, "at least 1")
    # By node, and of each in the order of time.
    order = trajectory.node.argsort(stable=True)
    counts = torch.bincount(trajectory.node, minlength=trajectory.num_nodes)
    first = counts.cumsum(0) - counts
    z = normalize(trajectory.embedding, dim=1)
    weight = trajectory.events / (trajectory.events + HALF)
    noise = _noise(z[order], weight[order].double(), trajectory.node[order], trajectory.num_nodes)
    nodes = torch.nonzero(counts >= 2 * least)[:, 0]
    if not len(nodes):
        return Changes(torch.empty(0, dtype=torch.int64), torch.empty(0, dtype=torch.int64))
    length = int(counts.max())
    size = max(_NUMBERS // (length * max(z.size(1), length)), 1)
    found_node, found_window = [], []
    for chunk in torch.split(nodes, size):
        place = first[chunk, None] + torch.arange(length)
        there = torch.arange(length) < counts[chunk, None]
        rows = order[torch.where(there, place, 0)]
        w = torch.where(there, weight[rows], 0.0).double()
        cuts = _segments(z[rows].double(), w, counts[chunk], penalty * noise[chunk], least)
        which, at = torch.nonzero(cuts, as_tuple=True)
        found_node.append(chunk[which])
        found_window.append(trajectory.window[rows[which, at]])
    return Changes(torch.cat(found_node), torch.cat(found_window))


def _noise(z: Tensor, weight: Tensor, node: Tensor, num_nodes: int) -> Tensor:
    """Squared noise of a row of weight 1 for each node, float64 [n]; rows are sorted by node and time."""
    pair = node[APART:] == node[:-APART] if len(node) > APART else node[:0] == 0
    if not pair.any():
        return torch.zeros(num_nodes, dtype=torch.float64)
    near, far = (weight[APART:][pair], weight[:-APART][pair])
    gap = (z[APART:] - z[:-APART])[pair].square().sum(1).double() / (1 / near + 1 / far)
    of = node[APART:][pair]
    everyone = gap.mean()
    # The largest of each node stand last in its run.
    order = gap.argsort()
    order = order[of[order].argsort(stable=True)]
    counts = torch.bincount(of, minlength=num_nodes)
    rank = torch.arange(len(of)) - (counts.cumsum(0) - counts)[of[order]]
    kept = rank < (counts - 2 * APART).clamp_min(1)[of[order]]
    own = torch.zeros(num_nodes, dtype=torch.float64).index_add_(0, of[order][kept], gap[order][kept])
    own /= torch.bincount(of[order][kept], minlength=num_nodes).clamp_min(1)
    return torch.where(counts > 0, (own + everyone) / 2, everyone)


def _segments(z: Tensor, weight: Tensor, counts: Tensor, penalty: Tensor, least: int) -> Tensor:
    """Rows with which a segment begins that is not the first, bool [c, L].

    z [c, L, d] and weight [c, L] hold the rows of c nodes, of which the first `counts` [c] are there.
    """
    c, length = weight.shape
    ahead = z.new_zeros(c, 1)
    total = torch.cat([z.new_zeros(c, 1, z.size(2)), (weight[:, :, None] * z).cumsum(1)], 1)
    mass = torch.cat([ahead, weight.cumsum(1)], 1)
    square = torch.cat([ahead, (weight * z.square().sum(2)).cumsum(1)], 1)
    products = total @ total.transpose(1, 2)
    own = products.diagonal(dim1=1, dim2=2)
    between = own[:, None] + own[:, :, None] - 2 * products
    width = mass[:, None] - mass[:, :, None]
    # What a segment of the rows i to j - 1 costs, at [i, j].
    cost = (square[:, None] - square[:, :, None] - between / width.clamp_min(1e-12)).clamp_min(0)
    best = z.new_full((c, length + 1), float("inf"))
    best[:, 0] = -penalty
    back = torch.zeros(c, length + 1, dtype=torch.int64)
    for j in range(least, length + 1):
        options = best[:, : j - least + 1] + cost[:, : j - least + 1, j] + penalty[:, None]
        best[:, j], back[:, j] = options.min(1)
    cuts = torch.zeros(c, length + 1, dtype=torch.bool)
    at = counts.clone()
    node = torch.arange(c)
    while bool((at > 0).any()):
        at = back[node, at]
        cuts[node, at] = True
    cuts[:, 0] = False
    return cuts[:, :length]


def judge_changes(found: Changes, truth: Changes, num_windows: int, within: int = 1) -> dict[str, float]:
    """How many changes were found, and how many of those found are right.

    A true change and a found one are matched, one to one, where they are of one node and at most `within` windows
    apart; the nearest first.

    Returns
    -------
    dict
        ``recall``: share of the true ones that were found; ``precision``: share of the found ones that are true;
        ``f1``; ``delay``: windows by which those found are late, on average. NaN where there is nothing to divide by.
    """
    number = num_windows + 2 * within
    true, seen = (part.node * number + part.window + within for part in (truth, found))
    free_true, free_seen = (torch.ones(len(keys), dtype=torch.bool) for keys in (true, seen))
    late, hits = 0, 0
    for shift in sorted(range(-within, within + 1), key=abs):
        here = torch.isin(seen, true[free_true] + shift) & free_seen
        free_true &= ~torch.isin(true + shift, seen[here])
        free_seen &= ~here
        hits += int(here.sum())
        late += shift * int(here.sum())

    def share(of: Tensor) -> float:
        return hits / len(of) if len(of) else float("nan")

    recall, precision = share(true), share(seen)
    f1 = 2 * hits / (len(true) + len(seen)) if len(true) + len(seen) else float("nan")
    delay = late / hits if hits else float("nan")
    return {"recall": recall, "precision": precision, "f1": f1, "delay": delay}
