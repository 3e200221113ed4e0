"""Where the pairs of a window stand among all nodes that their sources might have met."""

from __future__ import annotations

import torch
from torch import Tensor

from genurl_graph.evaluation.temporal_links.history import Scorer

# Scores that are held at a time.
_ENTRIES = 1 << 21


def reciprocal_ranks(score: Scorer, pairs: Tensor, num_nodes: int) -> Tensor:
    """One over the rank of each pair's target among all nodes, filtered, with ties at their mean rank.

    Left out of the comparison are the source itself, and the other nodes that have a pair with it here: they are right
    answers, too (Bordes et al., NeurIPS 2013). A score that is the same for all nodes gets the rank in the middle, not
    the first.

    Parameters
    ----------
    score : callable
        As in `genurl_graph.evaluation.temporal_links.history`.
    pairs : Tensor, int64, shape [2, m]
        Distinct pairs of the window.
    num_nodes : int

    Returns
    -------
    Tensor, float64, shape [m]
        ``1 / (1 + number of larger scores + half of the number of equal ones)``.
    """
    rows = max(_ENTRIES // num_nodes, 1)
    answers = torch.cat([pairs, pairs.flip(0)], 1)
    keys = torch.unique(answers[0] * num_nodes + answers[1])
    # All pairs of one source share its scores.
    sources, row = torch.unique(pairs[0], return_inverse=True)
    found = torch.empty(pairs.size(1), dtype=torch.float64)
    for first in range(0, len(sources), rows):
        here = ((row >= first) & (row < first + rows)).nonzero()[:, 0]
        scores, rival = _rows(score, sources[first : first + rows], keys, num_nodes)
        for part in here.split(rows):
            place = row[part] - first
            own = scores[place, pairs[1, part]][:, None]
            larger, equal = (
                (which & rival[place]).sum(1).double() for which in (scores[place] > own, scores[place] == own)
            )
            found[part] = 1 / (1 + larger + 0.5 * equal)
    return found


def _rows(score: Scorer, sources: Tensor, keys: Tensor, num_nodes: int) -> tuple[Tensor, Tensor]:
    """Scores of each source with all nodes, [k, n], and which of these are rivals, bool [k, n]."""
    target = torch.arange(num_nodes).expand(len(sources), -1)
    source = sources[:, None].expand_as(target)
    key = source * num_nodes + target
    place = torch.searchsorted(keys, key).clamp_max(len(keys) - 1)
    return score(source, target), (keys[place] != key) & (source != target)
