"""What a score is fitted to: pairs of the validation windows, each beside nodes that its source might have met."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from genurl_graph.evaluation.temporal_links.negatives import NegativeSampler
from genurl_graph.evaluation.temporal_links.pair_features import PairFeatures
from genurl_graph.evaluation.temporal_links.protocol import TemporalSplit
from genurl_graph.exceptions import wrong

# Other nodes beside each pair: any, of the last window, of the source's partners.
ANY, ACTIVE, PARTNERS = 50, 25, 25
KINDS = ("random", "historical", "active")
# Pairs in all that a score is fitted to.
MOST_PAIRS = 8_192


class Examples(NamedTuple):
    """Lists of candidates of one source, the right one first, and other pairs of the same window.

    Attributes
    ----------
    lists : Tensor, float32, shape [m, 1 + K, f]
        Features.
    log_weight : Tensor, float32, shape [m, 1 + K]
        Logarithm of how many nodes each candidate stands for; -inf for those that are no rivals.
    others : Tensor, float32, shape [m, len(KINDS), f]
        A pair without an event, of each kind.
    """

    lists: Tensor
    log_weight: Tensor
    others: Tensor

    @classmethod
    def of(cls, split: TemporalSplit, features: Callable[[int], PairFeatures], both_ends: bool, seed: int) -> Examples:
        """Examples of all validation windows, or of a part of their pairs where there are more than `MOST_PAIRS`.

        Parameters
        ----------
        split : TemporalSplit
        features : callable
            Gives the features of a window.
        both_ends : bool
            Whether targets are to find their sources, too.
        seed : int

        Raises
        ------
        InputError
            No validation window has a pair of different nodes.
        """
        generator = torch.Generator().manual_seed(seed)
        windows = split.parts()["val"]
        most = max(MOST_PAIRS // len(windows), 1)
        found = []
        for window in windows:
            sampler = split.sampler(window)
            pairs = sampler.now.pairs()
            pairs = pairs[:, pairs[0] != pairs[1]]
            if both_ends:
                pairs = torch.unique(torch.cat([pairs, pairs.flip(0)], 1), dim=1)
            if pairs.size(1):
                pairs = pairs[:, torch.randperm(pairs.size(1), generator=generator)[:most]]
                found.append(_of_window(sampler, features(window), pairs, generator))
        if not found:
            raise wrong("protocol temporal-links: val", "no pair of different nodes", "some events to fit a score to")
        return cls(*(torch.cat(part) for part in zip(*found, strict=True)))


def _of_window(sampler: NegativeSampler, features: PairFeatures, pairs: Tensor, generator: torch.Generator) -> Examples:
    m = pairs.size(1)
    target, log_weight = _candidates(sampler, pairs[0], generator)
    target = torch.cat([pairs[1][:, None], target], 1)
    source = pairs[0][:, None].expand_as(target)
    lists = features(source.reshape(-1), target.reshape(-1)).view(m, target.size(1), -1)
    others = torch.stack([_others(sampler, features, kind, pairs, generator) for kind in KINDS], 1)
    return Examples(lists, torch.cat([torch.zeros(m, 1), log_weight], 1), others)


def _candidates(sampler: NegativeSampler, source: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Nodes for each source, int64 [m, K], and the logarithm of how many nodes each stands for.

    Drawn from a mixture; one over the expected number of draws of a node makes sums over the draws estimates of sums
    over all nodes (importance sampling).
    """
    n, m = sampler.now.num_nodes, len(source)
    active = torch.unique(torch.cat([sampler.recent.source, sampler.recent.target]))
    if not len(active):
        active = torch.arange(n)
    before = sampler.before.pairs()
    known = torch.unique(torch.cat([before[0] * n + before[1], before[1] * n + before[0]]))
    count = torch.bincount(known // n, minlength=n)
    start = (count.cumsum(0) - count)[source][:, None]
    count = count[source][:, None]

    def drawn(many: int) -> Tensor:
        return torch.rand(m, many, generator=generator)

    partner = known[(start + (drawn(PARTNERS) * count).long()).clamp_max(len(known) - 1)] % n
    # Who has no partners draws from all nodes.
    partner = torch.where(count > 0, partner, (drawn(PARTNERS) * n).long())
    target = torch.cat([(drawn(ANY) * n).long(), active[(drawn(ACTIVE) * len(active)).long()], partner], 1)
    ends = source[:, None].expand_as(target)
    is_active = torch.zeros(n).index_fill_(0, active, 1.0)
    is_partner = torch.isin(ends * n + target, known)
    share = torch.where(count > 0, is_partner / count.clamp_min(1), torch.full(target.shape, 1 / n))
    expected = ANY / n + ACTIVE / len(active) * is_active[target] + PARTNERS * share
    pairs = torch.stack([ends.reshape(-1), target.reshape(-1)])
    rival = ~sampler.has_event(pairs).view(target.shape) & (ends != target)
    return target, torch.where(rival, -expected.log(), float("-inf"))


def _others(
    sampler: NegativeSampler, features: PairFeatures, kind: str, pairs: Tensor, generator: torch.Generator
) -> Tensor:
    """Features of one pair without an event for each pair, [m, f]; those of random ones where there are none."""
    found = sampler.draw(kind, pairs[0], generator)
    if not found.size(1):
        found = sampler.draw("random", pairs[0], generator)
    if not found.size(1):
        found = pairs
    pick = torch.arange(pairs.size(1)) % found.size(1)
    pick = pick[torch.randperm(len(pick), generator=generator)]
    return features(found[0][pick], found[1][pick])
