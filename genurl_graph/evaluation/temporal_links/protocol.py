"""The protocol `temporal-links`: windows in their order, each predicted from what came before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from genurl_graph.evaluation.temporal_links.history import (
    Scorer,
    adamic_adar,
    degree_product,
    edge_bank,
    recency_then_degree,
)
from genurl_graph.evaluation.temporal_links.negatives import KINDS, NegativeSampler
from genurl_graph.evaluation.temporal_links.ranking import reciprocal_ranks
from genurl_graph.exceptions import wrong
from genurl_graph.inputs.temporal.events import TemporalEdges
from genurl_graph.inputs.temporal.windows import Windows

VAL_SHARE = TEST_SHARE = 0.15
# Windows that count as recent, and nodes up to which a pair is ranked among all.
RECENT, MOST_RANKED = 3, 10_000


class TemporalSplit(NamedTuple):
    """Windows for training, validation and test, in the order of time.

    Attributes
    ----------
    edges : TemporalEdges
    windows : Windows
    first_val, first_test : int
        The first window of each part.
    """

    edges: TemporalEdges
    windows: Windows
    first_val: int
    first_test: int

    @classmethod
    def of(cls, edges: TemporalEdges, windows: Windows) -> TemporalSplit:
        """70 / 15 / 15 per cent of the events, as near as whole windows come to it.

        Raises
        ------
        InputError
            Fewer windows than three, or all events in the first ones.
        """
        wanted = torch.tensor([1 - VAL_SHARE - TEST_SHARE, 1 - TEST_SHARE]) * len(edges)
        val, test = ((windows.ptr[:-1] - share).abs().argmin().item() for share in wanted)
        if not 0 < val < test:
            found = f"{len(windows)} windows, of which {int(val)} come before validation and {int(test)} before test"
            raise wrong("protocol temporal-links", found, "more windows, so that each part has one")
        return cls(edges, windows, int(val), int(test))

    def parts(self) -> dict[str, range]:
        """Windows of validation and test."""
        return {"val": range(self.first_val, self.first_test), "test": range(self.first_test, len(self.windows))}

    def sampler(self, window: int) -> NegativeSampler:
        """What negatives of a window are drawn from."""
        before = self.windows.before(self.edges, window)
        held_out = before.between(min(int(self.windows.ptr[self.first_test]), len(before)), len(before))
        recent = self.windows.before(self.edges, window, 1)
        return NegativeSampler(self.windows.events(self.edges, window), before, recent, held_out)


class Figures(NamedTuple):
    """How well one scorer does on some windows; all in [0, 1].

    Attributes
    ----------
    auc, ap : dict of kind of negatives to number
        Mean over windows, weighted by their pairs; a kind of which there are no negatives is absent.
    mrr : float or None
        Mean reciprocal rank among all nodes; None with more than `MOST_RANKED` of them.
    """

    auc: dict[str, float]
    ap: dict[str, float]
    mrr: float | None


def references(split: TemporalSplit, window: int) -> dict[str, Scorer]:
    """Untrained scores of a window, by name: what every result stands beside."""
    before = split.windows.before(split.edges, window)
    recent = split.windows.before(split.edges, window, RECENT)
    last = split.windows.before(split.edges, window, 1)
    return {
        "EdgeBank": edge_bank(before),
        f"EdgeBank, last {RECENT} windows": edge_bank(recent),
        "Adamic-Adar, last window": adamic_adar(last),
        "degree product": degree_product(before),
        f"degree product, last {RECENT} windows": degree_product(recent),
        "last seen, then degree": recency_then_degree(before, recent),
    }


def judge(
    split: TemporalSplit,
    scorers: Callable[[TemporalSplit, int], Mapping[str, Scorer]] = references,
    part: str = "test",
    seed: int = 0,
) -> dict[str, Figures]:
    """Figures of each scorer on the windows of one part.

    Parameters
    ----------
    split : TemporalSplit
    scorers : callable
        Called as ``scorers(split, window)``; may look at events before the window alone.
    part : "val" or "test"
    seed : int
        Of the negatives: one for each pair of a window, which has no event in it.

    Examples
    --------
    >>> split = TemporalSplit.of(edges, Windows.of_equal_events(edges, 20))
    >>> judge(split)["EdgeBank"].auc["random"]
    """
    sums: dict[str, _Sums] = {}
    for window in split.parts()[part]:
        sampler = split.sampler(window)
        pairs = sampler.now.pairs()
        pairs = pairs[:, pairs[0] != pairs[1]]
        if not pairs.size(1):
            continue
        generator = torch.Generator().manual_seed((seed << 20) + window)
        negatives = {kind: sampler.draw(kind, pairs[0], generator) for kind in KINDS}
        for name, score in scorers(split, window).items():
            sums.setdefault(name, _Sums({}, {}, [])).add(score, pairs, negatives, split.edges.num_nodes)
    if not sums:
        raise wrong(f"protocol temporal-links: {part}", "no pair of different nodes", "some events")
    return {name: found.means() for name, found in sums.items()}


class _Sums(NamedTuple):
    """Figures of each window with the number of its pairs."""

    auc: dict[str, list[tuple[float, int]]]
    ap: dict[str, list[tuple[float, int]]]
    ranks: list[Tensor]

    def add(self, score: Scorer, pairs: Tensor, negatives: Mapping[str, Tensor], num_nodes: int) -> None:
        from sklearn.metrics import average_precision_score, roc_auc_score

        positive = score(pairs[0], pairs[1])
        for kind, others in negatives.items():
            if not others.size(1):
                continue
            scores = torch.cat([positive, score(others[0], others[1])]).numpy()
            label = torch.arange(len(scores)).numpy() < len(positive)
            self.auc.setdefault(kind, []).append((float(roc_auc_score(label, scores)), len(positive)))
            # Where there are fewer negatives than pairs, each counts more: precision is that of one for each pair.
            weight = [*[1.0] * len(positive), *[len(positive) / others.size(1)] * others.size(1)]
            ap = average_precision_score(label, scores, sample_weight=weight)
            self.ap.setdefault(kind, []).append((float(ap), len(positive)))
        if num_nodes <= MOST_RANKED:
            self.ranks.append(reciprocal_ranks(score, pairs, num_nodes))

    def means(self) -> Figures:
        mrr = float(torch.cat(self.ranks).mean()) if self.ranks else None
        return Figures(_weighted(self.auc), _weighted(self.ap), mrr)


def _weighted(figures: Mapping[str, list[tuple[float, int]]]) -> dict[str, float]:
    return {kind: sum(x * m for x, m in found) / sum(m for _, m in found) for kind, found in figures.items()}
