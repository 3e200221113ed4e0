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
    found = [_block(score, part, keys, num_nodes) for part in torch.split(pairs, rows, 1)]
    return torch.cat(found) if found else torch.empty(0, dtype=torch.float64)


def _block(score: Scorer, pairs: Tensor, keys: Tensor, num_nodes: int) -> Tensor:
    source, target = pairs[0][:, None], torch.arange(num_nodes).expand(pairs.size(1), -1)
    source = source.expand_as(target)
    scores = score(source, target)
    own = scores.gather(1, pairs[1][:, None])
    place = torch.searchsorted(keys, key := source * num_nodes + target).clamp_max(len(keys) - 1)
    rival = (keys[place] != key) & (source != target)
    larger, equal = ((which & rival).sum(1).double() for which in (scores > own, scores == own))
    return 1 / (1 + larger + 0.5 * equal)
